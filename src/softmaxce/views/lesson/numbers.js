// The numbers of each step, as softmaxce/lesson/numbers.py computes them, under the same names.
// A test compares the two to 1e-12.
"use strict";

const maxOf = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
const divided = (values, total) => values.map((value) => value / total);
const pick = (object, ...names) => Object.fromEntries(names.map((name) => [name, object[name]]));

// Neumaier's compensated sum: about as exact as Python's math.fsum.
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
  const top = maxOf(values);
  const powers = values.map((value) => Math.exp(value - top));
  return divided(powers, sum(powers));
}

function logSoftmax(values) {
  const moved = shifted(values);
  const count = moved.filter((value) => value === 0).length;
  const rest = sum(moved.map((value) => (value === 0 ? 0 : Math.exp(value))));
  const logSum = Math.log(count) + Math.log1p(rest / count);
  return moved.map((value) => value - logSum);
}

// Python's Example: the reader's numbers and what follows from them.
function makeExample(state) {
  const { logits, classes, temperature, label } = state;
  const top = maxOf(logits);
  const scaled = logits.map((z) => (z - top) / temperature);
  const probabilities = softmax(scaled);
  const logProbabilities = logSoftmax(scaled);
  return {
    ...state,
    n_classes: logits.length,
    tempered: temperature !== 1,
    scaled,
    probabilities,
    logProbabilities,
    targets: logits.map((_, k) => (k === label ? 1 : 0)),
    true_class: classes[label],
    p_true: probabilities[label],
    loss: 0 - logProbabilities[label],
    winner: classes[logits.indexOf(top)],
    p_winner: probabilities[logits.indexOf(top)],
    finiteLogits: logits.every(Number.isFinite),
  };
}

function sharesOfTotal(z) {
  const { rounding } = DATA.constants;
  const size = maxOf(z.map(Math.abs)) || 1;
  const parts = divided(z, size);
  const total = sum(parts);
  const magnitude = sum(parts.map(Math.abs));
  if (Math.abs(total) <= rounding * magnitude) return [0, [], 0];
  return [total * size, divided(parts, total), (rounding * magnitude) / Math.abs(total)];
}

function pairwise({ logits, temperature }) {
  return logits.map((own, k) => {
    const powers = logits.map((other, j) => (j === k ? 1 : Math.exp((other - own) / temperature)));
    return 1 / powers.reduce((a, b) => a + b, 0);
  });
}

// Σ weights · values; a weight of 0 makes 0 of an infinite value too.
const weighted = (weights, values) => sum(weights.map((w, k) => (w ? w * values[k] : 0)));
const crossEntropy = (logQ, p) => 0 - weighted(p, logQ);
const divergence = (p, logP, logQ) => Math.max(0, weighted(p, logP.map((value, k) => value - logQ[k])));

function finiteDifferences({ scaled, targets, temperature }) {
  const h = DATA.constants.step_of_difference;
  const powers = scaled.map(Math.exp);
  const total = sum(powers);
  const logSum = (power, move) => Math.log(total - power + power * Math.exp(move));
  return powers.map((power, k) => {
    const near = logSum(power, h) - logSum(power, -h);
    const far = logSum(power, 2 * h) - logSum(power, -2 * h);
    return ((8 * near - far) / (12 * h) - targets[k]) / temperature;
  });
}

// The strip's: the powers of e whose exponents are z / T − shift. The shift is 0 unless the powers would
// overflow or vanish; then it is the largest z / T.
function stripNumbers(x, shift) {
  const z = divided(x.logits, x.temperature);
  const direct = z.map(Math.exp);
  const works = direct.every(Number.isFinite) && direct.reduce((a, b) => a + b, 0) > 1e-300;
  const used = shift ?? (works ? 0 : maxOf(z));
  const moved = maxOf(z) === used ? 0 : maxOf(z) - used;
  const exponents = used === 0 ? z : x.scaled.map((u) => u + moved);
  const powers = exponents.map(Math.exp);
  return { ...x, exponents, powers, total: sum(powers), shift: used };
}

// Gradient descent on the logits, under cross-entropy and under squared error: p[true] before and after
// each of 100 steps, and the size of the first gradient on the true logit.
function descents({ logits, targets, label, temperature, learning_rate }) {
  const slopesOf = {
    cross_entropy: (p) => p.map((q, k) => (q - targets[k]) / temperature),
    squared_error(p) {
      const errors = p.map((q, k) => q - targets[k]);
      const mean = sum(p.map((q, k) => q * errors[k]));
      return p.map((q, k) => (2 / temperature) * q * (errors[k] - mean));
    },
  };
  const numbers = {};
  for (const [loss, slopes] of Object.entries(slopesOf)) {
    let z = logits;
    const probabilities = () => softmax(divided(shifted(z), temperature));
    numbers[`slope_${loss}`] = Math.abs(slopes(probabilities())[label]);
    numbers[`p_${loss}`] = Array.from({ length: 101 }, (_, step) => {
      const p = probabilities();
      z = divided(z, 1).map((value, k) => value - learning_rate * slopes(p)[k]);
      return p[label];
    });
  }
  return numbers;
}

const STEP_NUMBERS = {
  logits: (x) => ({
    ...pick(x, "classes", "n_classes", "logits"),
    binary: x.n_classes === 2,
    multi_class: x.n_classes > 2,
  }),

  shares(x) {
    const [total, shares, tolerance] = sharesOfTotal(x.logits);
    const divides = shares.length > 0;
    const negative = x.logits.some((z) => z < 0);
    const positive = x.logits.some((z) => z > 0);
    return {
      ...pick(x, "classes", "logits"),
      total,
      shares,
      sum_of_shares: sum(shares),
      sum_tolerance: tolerance,
      cancels: !divides,
      divides,
      mixed: divides && negative && positive,
      upside_down: divides && negative && !positive,
      fits: divides && !negative,
      show_cancelling: divides,
      show_negative: !(divides && negative && positive),
    };
  },

  exponentials(x) {
    const z = divided(x.logits, x.temperature);
    const powersOfE = z.map(Math.exp);
    const powers = x.scaled.map((u) => Math.pow(2, u));
    return {
      ...pick(x, "classes", "temperature", "tempered"),
      logits: z,
      powers_of_2: z.map((value) => Math.pow(2, value)),
      powers_of_2_7: z.map((value) => Math.pow(2.7, value)),
      powers_of_e: powersOfE,
      too_big: powersOfE.includes(Infinity),
      vanishes: powersOfE.includes(0),
      base_2: divided(powers, sum(powers)),
      softmax_ln_2: softmax(x.scaled.map((u) => u * Math.LN2)),
    };
  },

  softmax(x) {
    const z = divided(x.logits, x.temperature);
    const direct = z.map(Math.exp);
    const total = direct.reduce((a, b) => a + b, 0);
    const works = direct.every(Number.isFinite) && total > 1e-300;
    return {
      ...pick(x, "classes", "probabilities", "winner", "p_winner"),
      largest: maxOf(z),
      shifted: x.scaled,
      powers: x.scaled.map(Math.exp),
      sum_of_probabilities: sum(x.probabilities),
      pairwise: pairwise(x),
      shiftable: maxOf(x.logits.map(Math.abs)) <= DATA.constants.largest_for_shift * x.temperature,
      shifted_by_10: softmax(z.map((value) => value + 10)),
      direct_works: works,
      direct_fails: !works,
      ...(works ? { direct: divided(direct, total) } : {}),
    };
  },

  target: (x) => ({
    ...pick(x, "classes", "label", "true_class", "targets"),
    indices: x.classes.map((_, k) => k),
    label_is_assumed: !x.label_is_given,
    sum_of_targets: sum(x.targets),
    place_of_1: x.targets.indexOf(1),
  }),

  squared_error: (x) => ({
    ...DATA.constants.loss_table,
    ...pick(x, "p_true", "loss"),
    squared_error: sum(x.probabilities.map((p, k) => (p - x.targets[k]) ** 2)),
  }),

  cross_entropy(x) {
    const { rounding } = DATA.constants;
    const surprises = x.logProbabilities.map((value) => 0 - value);
    const blind = Math.log(x.n_classes);
    return {
      ...pick(x, "classes", "n_classes", "true_class", "targets", "probabilities", "loss", "p_true"),
      surprises,
      terms: surprises.map((value, k) => (x.targets[k] ? value : 0)),
      cross_entropy: crossEntropy(x.logProbabilities, x.targets),
      exp_minus_loss: Math.exp(-x.loss),
      bits: x.loss / Math.LN2,
      perplexity: Math.exp(x.loss),
      has_perplexity: Number.isFinite(Math.exp(x.loss)),
      blind,
      better: x.loss < blind - rounding,
      worse: x.loss > blind + rounding,
      same: Math.abs(x.loss - blind) <= rounding,
      entropy: crossEntropy(x.logProbabilities, x.probabilities),
      finite: Number.isFinite(x.loss),
      vanishes: Number.isFinite(x.loss) && x.p_true === 0,
      may_be_infinite: !x.finiteLogits,
      never_infinite: x.finiteLogits,
      exceeds_float: x.loss === Infinity && x.finiteLogits,
    };
  },

  two_ends: (x) => ({
    loss: x.loss,
    ends: DATA.constants.ends,
    p_at_ends: [1, x.p_true, 0],
    loss_at_ends: [0 - Math.log(1), x.loss, 0 - Math.log(0)],
    perfect: 0 - Math.log(1),
    wrong: 0 - Math.log(0),
    infinity: Infinity,
    is_perfect: x.loss === 0,
    is_infinite: x.loss === Infinity && !x.finiteLogits,
  }),

  no_distance({ targets: y, probabilities: p, logProbabilities: logP }) {
    const u = y.map(() => 1 / y.length);
    const logU = y.map(() => -Math.log(y.length));
    const logY = y.map((one) => (one ? 0 : -Infinity));
    const numbers = {
      target_prediction: crossEntropy(logP, y),
      prediction_target: crossEntropy(logY, p),
      entropy_target: crossEntropy(logY, y),
      entropy_prediction: crossEntropy(logP, p),
      kl_target_prediction: divergence(y, logY, logP),
      prediction_blind: crossEntropy(logU, p),
      kl_prediction_blind: divergence(p, logP, logU),
      kl_blind_prediction: divergence(u, logU, logP),
    };
    return {
      quantities: DATA.constants.quantities,
      values: Object.values(numbers),
      ...numbers,
      entropy_plus_kl: numbers.entropy_target + numbers.kl_target_prediction,
      entropy_plus_kl_blind: numbers.entropy_prediction + numbers.kl_prediction_blind,
      same_both_ways: numbers.target_prediction === numbers.prediction_target,
      differs: numbers.target_prediction !== numbers.prediction_target,
    };
  },

  gradient(x) {
    const slopes = x.probabilities.map((p, k) => (p - x.targets[k]) / x.temperature);
    const moved = x.logits.map((z, k) => z - x.learning_rate * slopes[k]);
    const top = maxOf(moved);
    const size = maxOf([1, ...x.logits.filter(Number.isFinite).map(Math.abs)]);
    const step = x.learning_rate * maxOf(slopes.map(Math.abs));
    const visible = step > DATA.constants.rounding * size;
    const moves = visible && Number.isFinite(x.loss);
    return {
      ...pick(x, "classes", "probabilities", "targets", "temperature", "tempered", "loss"),
      gradient: slopes,
      finite_differences: finiteDifferences(x),
      sum_of_gradient: sum(slopes),
      learning_rate: x.learning_rate,
      new_logits: moved,
      loss_after: 0 - logSoftmax(moved.map((z) => (z - top) / x.temperature))[x.label],
      moves,
      ...descents(x),
      too_small_to_move: !visible,
      infinite: visible && !moves,
    };
  },
};
