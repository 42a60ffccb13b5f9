// The numbers of each step, as softmaxce/lesson/numbers.py computes them, under the same names.
// A test compares the two to 1e-12.
"use strict";

const maxOf = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
const divided = (values, total) => values.map((value) => value / total);

const isRepresentable = (power) => DATA.constants.smallest_power < power && power < Infinity;
const valueAt = (values, k) => (Array.isArray(values) ? values[k] : values);

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

function logSoftmax(values) {
  const moved = shifted(values);
  const count = moved.filter((value) => value === 0).length;
  const rest = sum(moved.map((value) => (value === 0 ? 0 : Math.exp(value))));
  const logSum = Math.log(count) + Math.log1p(rest / count);
  return moved.map((value) => value - logSum);
}

const softmax = (values) => logSoftmax(values).map(Math.exp);

// Python's Example: the reader's numbers and what follows from them, which every step may name.
function makeExample(state) {
  const { logits, classes, temperature, label } = state;
  const top = maxOf(logits);
  const winner = logits.indexOf(top);
  const scaled = logits.map((z) => (z - top) / temperature);
  const [probabilities, logProbabilities] = [softmax(scaled), logSoftmax(scaled)];
  return {
    ...state, scaled, probabilities, logProbabilities,
    n_classes: logits.length, doubled: 2 * logits.length, tempered: temperature !== 1, not_tempered: temperature === 1,
    targets: logits.map((_, k) => (k === label ? 1 : 0)), true_class: classes[label],
    p_true: probabilities[label], loss: 0 - logProbabilities[label], error: 1 - probabilities[label],
    winner: classes[winner], winner_logit: top, p_winner: probabilities[winner],
    finiteLogits: logits.every(Number.isFinite), label_is_assumed: !state.label_is_given,
  };
}

function sharesOfTotal({ logits: z, source }) {
  const { rounding, rounding_of_weights } = DATA.constants;
  const size = maxOf(z.map(Math.abs)) || 1;
  const parts = divided(z, size);
  const total = sum(parts);
  const magnitude = sum(parts.map(Math.abs));
  if (Math.abs(total) <= (source === "image" ? rounding_of_weights : rounding) * magnitude) return [0, [], 0];
  return [total * size, divided(parts, total), (rounding * magnitude) / Math.abs(total)];
}

const shareOfWinner = ({ logits }, shares) => (shares.length ? shares[logits.indexOf(maxOf(logits))] : null);

// Whether a < b by more than rounding errors.
const isLess = (a, b) => a < b - DATA.constants.rounding * Math.max(1, Math.min(Math.abs(a), Math.abs(b)));

// Σ weights · values; a weight of 0 makes 0 of an infinite value too.
const weighted = (weights, values) => sum(weights.map((w, k) => (w ? w * values[k] : 0)));
const crossEntropy = (logQ, p) => 0 - weighted(p, logQ);

// The entropy of the prediction; the entropy of the target plus the KL divergence.
function entropies({ targets: y, probabilities: p, logProbabilities: logP }) {
  const logY = y.map((one) => (one ? 0 : -Infinity));
  const divergence = Math.max(0, weighted(y, logY.map((value, k) => value - logP[k])));
  return { entropy: crossEntropy(logP, p), entropy_plus_kl: crossEntropy(logY, y) + divergence };
}

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

// Gradient descent on the logits: p[true] before each step and after the last, under either loss.
function descents({ scaled, targets, label, temperature, learning_rate }) {
  const courseOf = (slopesOf) => {
    let z = scaled.map((u) => u * temperature); // the same differences
    return Array.from({ length: DATA.constants.n_steps + 1 }, () => {
      const p = softmax(divided(z, temperature));
      const slopes = slopesOf(p, p.map((q, k) => q - targets[k]));
      z = z.map((value, k) => value - (learning_rate * slopes[k]) / temperature);
      return p[label];
    });
  };
  const p_cross_entropy = courseOf((_, errors) => errors);
  const p_squared_error = courseOf((p, errors) => {
    const mean = p.reduce((total, q, k) => total + q * errors[k], 0);
    return p.map((q, k) => 2 * q * (errors[k] - mean));
  });
  const last = { last_p_cross_entropy: p_cross_entropy.at(-1), last_p_squared_error: p_squared_error.at(-1) };
  return { p_cross_entropy, p_squared_error, ...last };
}

// The powers of e whose exponents are z / T − shift, and their sum. The shift is 0 unless the powers
// would overflow or vanish; then it is the largest z / T.
function powersOf({ logits, temperature, scaled }, shift) {
  const z = divided(logits, temperature);
  const used = shift ?? (isRepresentable(sum(z.map(Math.exp))) ? 0 : maxOf(z));
  const moved = maxOf(z) === used ? 0 : maxOf(z) - used;
  const exponents = used === 0 ? z : scaled.map((u) => u + moved);
  const powers = exponents.map(Math.exp);
  return { exponents, powers, total: sum(powers), shift: used };
}

// What each step's numbers add to those of the example. The page's data holds those that never change.
const STEP_NUMBERS = {
  shares(x) {
    const [total, shares, sum_tolerance] = sharesOfTotal(x);
    const divides = shares.length > 0;
    const [negative, positive] = [x.logits.some((z) => z < 0), x.logits.some((z) => z > 0)];
    const mixed = divides && negative && positive;
    return {
      total, shares, sum_tolerance, sum_of_shares: sum(shares),
      winner_share: shareOfWinner(x, shares), equal_share: 1 / x.n_classes,
      divides, cancels: !divides, always_cancels: !divides && x.source === "image",
      mixed, upside_down: divides && negative && !positive, fits: divides && !negative,
      show_cancelling: divides, show_negative: !mixed,
    };
  },

  exponentials(x) {
    const z = divided(x.logits, x.temperature);
    const powers_of_e = z.map(Math.exp);
    const powers = x.scaled.map((u) => Math.pow(2, u));
    const representable = isRepresentable(powers_of_e[0]);
    return {
      logits: z, first_logit: z[0],
      powers_of_2: z.map((value) => Math.pow(2, value)),
      powers_of_2_7: z.map((value) => Math.pow(2.7, value)),
      powers_of_e, first_power: powers_of_e[0],
      first_power_of_2: Math.pow(2, z[0]), e_times_first: Math.E * z[0],
      representable, log_of_first_power: representable ? Math.log(powers_of_e[0]) : null,
      too_big: powers_of_e.includes(Infinity), vanishes: powers_of_e.includes(0),
      base_2: divided(powers, sum(powers)), softmax_ln_2: softmax(x.scaled.map((u) => u * Math.LN2)),
    };
  },

  softmax(x) {
    const z = divided(x.logits, x.temperature);
    const { powers: powers_of_e, total: sum_of_powers, shift } = powersOf(x);
    const powers = x.scaled.map(Math.exp);
    const direct_works = shift === 0;
    return {
      largest: maxOf(z), shifted: x.scaled, powers, total: sum(powers),
      sum_of_probabilities: sum(x.probabilities), winner_share: shareOfWinner(x, sharesOfTotal(x)[1]),
      shifted_by_10: softmax(z.map((value) => value + 10)),
      shiftable: maxOf(x.logits.map(Math.abs)) <= DATA.constants.largest_for_shift * x.temperature,
      direct_works, direct_fails: !direct_works,
      powers_of_e, sum_of_powers, direct: divided(powers_of_e, sum_of_powers),
    };
  },

  target: ({ targets, label }) => ({ place_of_1: targets.indexOf(1), label_from_1: label + 1 }),

  squared_error(x) {
    const squares = x.probabilities.map((p, k) => (p - x.targets[k]) ** 2);
    return { squares, squared_error: sum(squares), true_square: squares[x.label] };
  },

  cross_entropy(x) {
    const surprises = x.logProbabilities.map((value) => 0 - value);
    const [uniform_loss, perplexity] = [Math.log(x.n_classes), Math.exp(x.loss)];
    const [better, worse] = [isLess(x.loss, uniform_loss), isLess(uniform_loss, x.loss)];
    const finite = Number.isFinite(x.loss);
    return {
      ...entropies(x), surprises, terms: surprises.map((value, k) => (x.targets[k] ? value : 0)),
      cross_entropy: crossEntropy(x.logProbabilities, x.targets), exp_minus_loss: Math.exp(-x.loss),
      bits: x.loss / Math.LN2, perplexity, has_perplexity: Number.isFinite(perplexity),
      uniform_loss, better, worse, same: !better && !worse,
      finite, written_out: x.p_true > DATA.constants.rounding, vanishes: finite && x.p_true <= DATA.constants.rounding,
      may_be_infinite: !x.finiteLogits, never_infinite: x.finiteLogits,
      exceeds_float: !finite && x.finiteLogits,
    };
  },

  two_ends: (x) => ({
    p_at_ends: [1, x.p_true, 0], loss_at_ends: [0, x.loss, Infinity], wrong: Infinity, infinity: Infinity,
    is_perfect: x.loss === 0, is_infinite: x.loss === Infinity && !x.finiteLogits,
    is_between: x.loss > 0 && x.loss < Infinity,
  }),

  gradient(x) {
    const gradient = x.probabilities.map((p, k) => (p - x.targets[k]) / x.temperature);
    const new_logits = x.logits.map((z, k) => z - x.learning_rate * gradient[k]);
    const top = maxOf(new_logits);
    const loss_after = 0 - logSoftmax(new_logits.map((z) => (z - top) / x.temperature))[x.label];
    const finite = Number.isFinite(x.loss);
    const { rounding } = DATA.constants;
    const moves = finite && x.loss > rounding && x.loss - loss_after > rounding * x.loss;
    return {
      ...descents(x), gradient, new_logits, loss_after, true_slope: gradient[x.label],
      minus_true_slope: -gradient[x.label], finite_differences: finiteDifferences(x),
      sum_of_gradient: sum(gradient), moves, too_small_to_move: finite && !moves, infinite: !finite,
    };
  },
};
