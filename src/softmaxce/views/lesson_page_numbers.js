// The numbers of each step, as softmaxce/lesson/numbers.py computes them, under the same
// names. A test in a browser compares the two to 1e-12.
"use strict";

const P_TRUE_FALLS = [0.99, 0.9, 0.5, 0.1, 0.01, 0.001];
const TEMPERATURE_ROWS = [0.1, 0.5, 1, 2, 10];
const CLASS_COUNTS = [2, 10, 100, 1000];
const LN2 = Math.log(2);

const maxOf = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
const minOf = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
const divided = (values, total) => values.map((value) => value / total);

// Neumaier's compensated sum, as exact as Python's math.fsum to the last digit or so.
function sum(values) {
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const next = total + value;
    if (!Number.isFinite(next)) return values.reduce((a, b) => a + b, 0);
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

function shifted(values) {
  const top = maxOf(values);
  return values.map((value) => value - (Number.isFinite(top) ? top : 0));
}

function softmax(values) {
  const powers = shifted(values).map(Math.exp);
  return divided(powers, sum(powers));
}

function logSoftmax(values) {
  const moved = shifted(values);
  const count = moved.filter((value) => value === 0).length;
  const rest = sum(moved.map((value) => (value === 0 ? 0 : Math.exp(value))));
  const logSum = Math.log(count) + Math.log1p(rest / count);
  return moved.map((value) => value - logSum);
}

// What Example is in Python: the reader's numbers and what follows from them.
function makeExample(state) {
  const { logits, temperature, label } = state;
  const top = maxOf(logits);
  const scaled = logits.map((z) => (z - top) / temperature);
  const logProbabilities = logSoftmax(scaled);
  const targets = logits.map((_, k) => (k === label ? 1 : 0));
  return {
    ...state,
    n: logits.length,
    scaled,
    probabilities: softmax(scaled),
    logProbabilities,
    targets,
    loss: 0 - logProbabilities[label],
    winner: logits.indexOf(top),
    finiteLogits: logits.every(Number.isFinite),
    name: (k) => state.classes[k],
  };
}

function sharesOfTotal(z) {
  const size = maxOf(z.map(Math.abs)) || 1;
  const parts = divided(z, size);
  const total = sum(parts);
  const magnitude = sum(parts.map(Math.abs));
  if (Math.abs(total) <= 1e-12 * magnitude) return [0, [], 0];
  return [total * size, divided(parts, total), (1e-12 * magnitude) / Math.abs(total)];
}

function pairwise(x) {
  return x.logits.map((own, k) => {
    const powers = x.logits.map((other, j) => (j === k ? 1 : Math.exp((other - own) / x.temperature)));
    return 1 / powers.reduce((a, b) => a + b, 0);
  });
}

const weighted = (weights, values) => sum(weights.map((w, k) => (w ? w * values[k] : 0)));
const cross = (weights, logQ) => 0 + weighted(weights, logQ.map((value) => 0 - value));
const divergence = (p, logP, logQ) =>
  Math.max(0, sum(p.map((w, k) => (w ? w * (logP[k] - logQ[k]) : 0))));

function finiteDifferences(x) {
  const h = 0.01;
  const powers = x.scaled.map(Math.exp);
  const total = sum(powers);
  const logSum = (power, move) => Math.log(total - power + power * Math.exp(move));
  return powers.map((power, k) => {
    const near = logSum(power, h) - logSum(power, -h);
    const far = logSum(power, 2 * h) - logSum(power, -2 * h);
    return ((8 * near - far) / (12 * h) - x.targets[k]) / x.temperature;
  });
}

const STEP_NUMBERS = {
  logits: (x) => ({
    classes: x.classes,
    n_classes: x.n,
    logits: x.logits,
    binary: x.n === 2,
    multi_class: x.n > 2,
  }),

  shares(x) {
    const [total, parts, tolerance] = sharesOfTotal(x.logits);
    const divides = parts.length > 0;
    const falls = x.logits.some((z) => z < 0);
    const rises = x.logits.some((z) => z > 0);
    return {
      classes: x.classes,
      logits: x.logits,
      total,
      shares: parts,
      sum_of_shares: sum(parts),
      sum_tolerance: tolerance,
      cancels: !divides,
      divides,
      mixed: divides && falls && rises,
      upside_down: divides && falls && !rises,
      fits: divides && !falls,
      show_cancelling: divides,
      show_negative: !(divides && falls && rises),
    };
  },

  exponentials(x) {
    const z = divided(x.logits, x.temperature);
    const powersOfE = z.map(Math.exp);
    const powers = x.scaled.map((u) => Math.pow(2, u));
    return {
      classes: x.classes,
      logits: z,
      powers_of_2: z.map((value) => Math.pow(2, value)),
      powers_of_2_7: z.map((value) => Math.pow(2.7, value)),
      powers_of_e: powersOfE,
      first_power: powersOfE[0],
      temperature: x.temperature,
      tempered: x.temperature !== 1,
      too_big: powersOfE.includes(Infinity),
      vanishes: powersOfE.includes(0),
      base_2: divided(powers, sum(powers)),
      softmax_ln_2: softmax(x.scaled.map((u) => u * LN2)),
    };
  },

  softmax(x) {
    const powers = x.scaled.map(Math.exp);
    const z = divided(x.logits, x.temperature);
    const direct = z.map(Math.exp);
    const directSum = direct.reduce((a, b) => a + b, 0);
    const works = direct.every(Number.isFinite) && directSum > 1e-300;
    return {
      classes: x.classes,
      largest: maxOf(x.logits) / x.temperature,
      shifted: x.scaled,
      powers,
      total: sum(powers),
      probabilities: x.probabilities,
      sum_of_probabilities: sum(x.probabilities),
      winner: x.name(x.winner),
      p_winner: x.probabilities[x.winner],
      pairwise: pairwise(x),
      shiftable: maxOf(x.logits.map(Math.abs)) <= 1e5 * x.temperature,
      shifted_by_10: softmax(z.map((value) => value + 10)),
      direct_works: works,
      direct_fails: !works,
      ...(works ? { direct: divided(direct, directSum) } : {}),
    };
  },

  target: (x) => ({
    classes: x.classes,
    n_classes: x.n,
    indices: x.classes.map((_, k) => k),
    label: x.label,
    true_class: x.name(x.label),
    label_is_assumed: !x.label_is_given,
    targets: x.targets,
    sum_of_targets: sum(x.targets),
    place_of_1: x.targets.indexOf(1),
  }),

  squared_error(x) {
    const squared = P_TRUE_FALLS.map((p) => 2 * (1 - p) ** 2);
    const losses = P_TRUE_FALLS.map((p) => -Math.log(p));
    return {
      p_true_falls: P_TRUE_FALLS,
      squared_errors: squared,
      cross_entropies: losses,
      p_true: x.probabilities[x.label],
      squared_error: sum(x.probabilities.map((p, k) => (p - x.targets[k]) ** 2)),
      loss: x.loss,
      squared_growth: squared.at(-1) - squared.at(-2),
      loss_growth: losses.at(-1) - losses.at(-2),
      ln_10: Math.log(10),
    };
  },

  cross_entropy(x) {
    const surprises = x.logProbabilities.map((value) => 0 - value);
    const blind = Math.log(x.n);
    return {
      classes: x.classes,
      n_classes: x.n,
      true_class: x.name(x.label),
      targets: x.targets,
      probabilities: x.probabilities,
      surprises,
      terms: surprises.map((value, k) => (x.targets[k] ? value : 0)),
      loss: x.loss,
      cross_entropy: weighted(x.targets, surprises),
      p_true: x.probabilities[x.label],
      exp_minus_loss: Math.exp(-x.loss),
      bits: x.loss / LN2,
      perplexity: Math.exp(x.loss),
      has_perplexity: Number.isFinite(Math.exp(x.loss)),
      blind,
      better: x.loss < blind - 1e-12,
      worse: x.loss > blind + 1e-12,
      same: Math.abs(x.loss - blind) <= 1e-12,
      entropy: weighted(x.probabilities, surprises),
      finite: Number.isFinite(x.loss),
      vanishes: Number.isFinite(x.loss) && x.probabilities[x.label] === 0,
      may_be_infinite: !x.finiteLogits,
      never_infinite: x.finiteLogits,
      exceeds_float: x.loss === Infinity && x.finiteLogits,
    };
  },

  two_ends: (x) => ({
    p_true: x.probabilities[x.label],
    loss: x.loss,
    ends: ["perfect", "this prediction", "perfectly wrong"],
    p_at_ends: [1, x.probabilities[x.label], 0],
    loss_at_ends: [0 - Math.log(1), x.loss, 0 - Math.log(0)],
    perfect: 0 - Math.log(1),
    wrong: 0 - Math.log(0),
    infinity: Infinity,
    is_perfect: x.loss === 0,
    is_infinite: x.loss === Infinity && !x.finiteLogits,
  }),

  no_distance(x) {
    const [y, p, u] = [x.targets, x.probabilities, x.targets.map(() => 1 / x.n)];
    const logU = u.map(() => -Math.log(x.n));
    const logY = y.map((one) => (one ? 0 : -Infinity));
    const values = {
      target_prediction: cross(y, x.logProbabilities),
      prediction_target: cross(p, logY),
      entropy_target: cross(y, logY),
      entropy_prediction: cross(p, x.logProbabilities),
      kl_target_prediction: divergence(y, logY, x.logProbabilities),
      prediction_blind: cross(p, logU),
      kl_prediction_blind: divergence(p, x.logProbabilities, logU),
      kl_blind_prediction: divergence(u, logU, x.logProbabilities),
    };
    return {
      quantities: [
        "cross-entropy (target, prediction)",
        "cross-entropy (prediction, target)",
        "entropy of the target",
        "entropy of the prediction",
        "KL (target ‖ prediction)",
        "cross-entropy (prediction, blind guess)",
        "KL (prediction ‖ blind guess)",
        "KL (blind guess ‖ prediction)",
      ],
      values: Object.values(values),
      ...values,
      entropy_plus_kl: values.entropy_target + values.kl_target_prediction,
      entropy_plus_kl_blind: values.entropy_prediction + values.kl_prediction_blind,
      same_both_ways: values.target_prediction === values.prediction_target,
      differs: values.target_prediction !== values.prediction_target,
    };
  },

  gradient(x) {
    const slopes = x.probabilities.map((p, k) => (p - x.targets[k]) / x.temperature);
    const moved = x.logits.map((z, k) => z - x.learning_rate * slopes[k]);
    const top = maxOf(moved);
    const after = 0 - logSoftmax(moved.map((z) => (z - top) / x.temperature))[x.label];
    const size = Math.max(1, ...x.logits.filter(Number.isFinite).map(Math.abs));
    const visible = x.learning_rate * maxOf(slopes.map(Math.abs)) > 1e-12 * size;
    const moves = visible && Number.isFinite(x.loss);
    return {
      classes: x.classes,
      true_class: x.name(x.label),
      probabilities: x.probabilities,
      targets: x.targets,
      gradient: slopes,
      finite_differences: finiteDifferences(x),
      sum_of_gradient: sum(slopes),
      learning_rate: x.learning_rate,
      temperature: x.temperature,
      tempered: x.temperature !== 1,
      new_logits: moved,
      loss: x.loss,
      loss_after: after,
      moves,
      too_small_to_move: !visible,
      infinite: visible && !moves,
      from_image: x.source === "image",
    };
  },
};
