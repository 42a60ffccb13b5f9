// The numbers of the corrections, as softmaxce/lesson/corrections.py computes them.
"use strict";

function orStock(x, own, ...stock) {
  const used = own
    ? x
    : makeExample({
        logits: stock,
        classes: stock.map((_, k) => String(k)),
        label: 0,
        temperature: 1,
        learning_rate: 0.1,
        source: "logits",
      });
  return [used, { classes: used.classes, is_stock: !own, stock: stock.join(", ") }];
}

function hasClearWinner(x) {
  const [first, second] = [...x.scaled].sort((a, b) => b - a);
  return first - second > 1e-6 && first - second <= 30;
}

const looksLikeProbabilities = (x) =>
  x.source !== "probabilities" &&
  x.logits.every((z) => z >= 0 && z <= 1) &&
  Math.abs(sum(x.logits) - 1) <= 1e-6;

const without = (values, k) => values.filter((_, j) => j !== k);

const CORRECTION_NUMBERS = {
  exaggerates(x) {
    const own = x.finiteLogits && minOf(x.logits) >= 0 && maxOf(x.logits) > 0;
    const [used, numbers] = orStock(x, own, 0.2, 0.3);
    const topShare = maxOf(sharesOfTotal(used.logits)[1]);
    const topP = maxOf(softmax(used.logits));
    const top = maxOf(used.logits);
    const rows = TEMPERATURE_ROWS.map((t) => maxOf(softmax(used.logits.map((z) => (z - top) / t))));
    const flatter = topP < topShare - 1e-12;
    return {
      ...numbers,
      fit: own && flatter && x.source !== "probabilities" ? 5 : 0,
      top_share: topShare,
      top_p: topP,
      flatter,
      sharper: !flatter,
      temperatures: TEMPERATURE_ROWS,
      top_at_temperatures: rows,
      coldest: rows[0],
      hottest: rows.at(-1),
    };
  },

  looks_like_probabilities(x) {
    const own = looksLikeProbabilities(x);
    const [used, numbers] = orStock(x, own, 0, 1, 0);
    return {
      ...numbers,
      fit: own ? 10 : 0,
      is_own: own,
      logits: used.logits,
      winner: used.name(used.winner),
      as_probabilities: 0 - Math.log(maxOf(used.logits)),
      as_logits: 0 - maxOf(logSoftmax(used.logits)),
      zero: 0,
    };
  },

  softmax_twice(x) {
    const floor = (n) => Math.log(Math.E + n - 1) - 1;
    return {
      fit: looksLikeProbabilities(x) ? 9 : x.n >= 10 ? 2 : 0,
      n_classes: x.n,
      once: x.loss,
      twice: 0 - logSoftmax(x.probabilities)[x.label],
      floor: floor(x.n),
      counts: CLASS_COUNTS,
      floors: CLASS_COUNTS.map(floor),
    };
  },

  loss_above_1(x) {
    const blind = Math.log(x.n);
    const above = x.loss > 1 && x.loss < Infinity;
    return {
      fit: above ? (x.loss < blind - 1e-12 ? 8 : 6) : 0,
      n_classes: x.n,
      loss: x.loss,
      blind,
      uniform: 0 - logSoftmax(x.classes.map(() => 0))[0],
      better: x.loss < blind - 1e-12,
      not_better: x.loss >= blind - 1e-12,
      counts: CLASS_COUNTS,
      blind_losses: CLASS_COUNTS.map(Math.log),
    };
  },

  loss_and_accuracy(x) {
    const own = x.finiteLogits && hasClearWinner(x);
    const [used, numbers] = orStock(x, own, 2, 1);
    const sharp = logSoftmax(used.scaled.map((u) => 2 * u));
    return {
      ...numbers,
      fit: own && x.winner === x.label && maxOf(x.probabilities) < 0.9 ? 4 : 0,
      winner: used.name(used.winner),
      winner_index: used.winner,
      winner_when_doubled: sharp.indexOf(maxOf(sharp)),
      loss_now: 0 - maxOf(used.logProbabilities),
      loss_doubled: 0 - maxOf(sharp),
    };
  },

  wrong_classes(x) {
    const [used, numbers] = orStock(x, x.n >= 3, 2, 1, 0);
    const { probabilities: p, targets: y, label } = used;
    const rest = sum(without(p, label)) / (used.n - 1);
    const even = p.map((value, k) => (k === label ? value : rest));
    const wrong = maxOf(without(p, label));
    return {
      ...numbers,
      fit: x.n >= 3 && wrong >= 0.2 ? 3 : 0,
      true_class: used.name(label),
      loss: used.loss,
      probabilities: p,
      gradient: p.map((value, k) => value - y[k]),
      even,
      even_gradient: even.map((value, k) => value - y[k]),
      sum_of_even: sum(even),
      p_true: p[label],
      even_p_true: even[label],
    };
  },

  derivative(x) {
    const [used, numbers] = orStock(x, x.probabilities[x.label] > 1e-100, 0.2, 0.3);
    const { probabilities: p, targets: y, label } = used;
    const row = p.map((q, k) => p[label] * (y[k] - q));
    const factor = -1 / p[label];
    return {
      ...numbers,
      fit: 1,
      true_class: used.name(label),
      jacobian_row: row,
      factor,
      chain: row.map((value) => factor * value),
      p_minus_y: p.map((q, k) => q - y[k]),
      sum_of_row: sum(row),
    };
  },

  calibration(x) {
    const own = x.finiteLogits && hasClearWinner(x);
    const [used, numbers] = orStock(x, own, 3, 0);
    const soft = softmax(used.scaled.map((u) => u / 2));
    return {
      ...numbers,
      fit: own && maxOf(x.probabilities) >= 0.9 ? 5 : 0,
      winner: used.name(used.winner),
      p_now: maxOf(used.probabilities),
      p_softer: maxOf(soft),
      winner_index: used.winner,
      softer_winner: soft.indexOf(maxOf(soft)),
    };
  },

  unknown_picture(x) {
    const own = x.finiteLogits && maxOf(x.scaled.map(Math.abs)) <= 1e5;
    const [used, numbers] = orStock(x, own, 2, 1);
    return {
      ...numbers,
      fit: x.source === "image" ? 6 : x.names_are_given ? 3 : 0,
      n_classes: used.n,
      probabilities: used.probabilities,
      lower: softmax(used.scaled.map((u) => u - 100)),
      sum_of_probabilities: sum(used.probabilities),
    };
  },

  sigmoid(x) {
    const [used, numbers] = orStock(x, x.n === 2, 0.2, 0.3);
    const difference = used.scaled[1] - used.scaled[0];
    return {
      ...numbers,
      fit: x.n === 2 ? 7 : 0,
      first: used.name(0),
      second: used.name(1),
      difference,
      sigmoid: 1 / (1 + Math.exp(-difference)),
      p_second: used.probabilities[1],
    };
  },
};
