// When each card comes back: FSRS-6 with the default weights and without fuzz, as the Python
// library `fsrs` computes it. A test compares both over thousands of review histories.
// A card is {state, step, stability, difficulty, due, last_review}; times are ISO texts.

const W = [
  0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666, 0.796, 1.4835,
  0.0614, 0.2629, 1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542,
];
const [AGAIN, HARD, GOOD, EASY] = [1, 2, 3, 4];
const [LEARNING, REVIEW, RELEARNING] = [1, 2, 3];
const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
const STEPS = { [LEARNING]: [MINUTE, 10 * MINUTE], [RELEARNING]: [10 * MINUTE] };
const RETENTION = 0.9;
const LONGEST = 36500;
const DECAY = -W[20];
const FACTOR = 0.9 ** (1 / DECAY) - 1;

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const exp = (x) => Math.E ** x;

/** Halves go to the even neighbor, as Python's round. */
function round(x) {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 ? down + 1 : down;
}

function firstDifficulty(rating) {
  return W[4] - exp(W[5] * (rating - 1)) + 1;
}

function nextDifficulty(difficulty, rating) {
  const delta = -(W[6] * (rating - 3));
  const damped = difficulty + ((10 - difficulty) * delta) / 9;
  return clamp(W[7] * firstDifficulty(EASY) + (1 - W[7]) * damped, 1, 10);
}

function sameDayStability(stability, rating) {
  const increase = exp(W[17] * (rating - 3 + W[18])) * stability ** -W[19];
  return stability * (rating === AGAIN ? increase : Math.max(increase, 1));
}

function recalledStability(difficulty, stability, recall, rating) {
  const growth =
    exp(W[8]) * (11 - difficulty) * stability ** -W[9] * (exp((1 - recall) * W[10]) - 1) *
    (rating === HARD ? W[15] : 1) * (rating === EASY ? W[16] : 1);
  return stability * (1 + growth);
}

function forgottenStability(difficulty, stability, recall) {
  const long =
    W[11] * difficulty ** -W[12] * ((stability + 1) ** W[13] - 1) * exp((1 - recall) * W[14]);
  return Math.min(long, stability / exp(W[17] * W[18]));
}

function nextStability({ difficulty, stability }, days, rating) {
  if (days < 1) return Math.max(sameDayStability(stability, rating), 0.001);
  const recall = (1 + (FACTOR * days) / stability) ** DECAY;
  const next =
    rating === AGAIN
      ? forgottenStability(difficulty, stability, recall)
      : recalledStability(difficulty, stability, recall, rating);
  return Math.max(next, 0.001);
}

function daysUntilReview(stability) {
  const days = (stability / FACTOR) * (RETENTION ** (1 / DECAY) - 1);
  return clamp(round(days), 1, LONGEST) * DAY;
}

/** State, step and wait of a card in its learning steps after a rating. */
function learn({ state, step, stability }, rating) {
  const steps = STEPS[state];
  const graduate = [REVIEW, null, daysUntilReview(stability)];
  if (rating === AGAIN) return [state, 0, steps[0]];
  if (rating === EASY || step >= steps.length) return graduate;
  if (rating === GOOD) {
    return step + 1 === steps.length ? graduate : [state, step + 1, steps[step + 1]];
  }
  if (step > 0) return [state, step, steps[step]];
  return [state, step, steps.length === 1 ? steps[0] * 1.5 : (steps[0] + steps[1]) / 2];
}

/** The card after a rating of 1 to 4 at `now`, in milliseconds; without a card, a new one. */
export function review(card, rating, now) {
  const next = card ? { ...card } : { state: LEARNING, step: 0 };
  if (card) {
    const days = Math.floor((now - Date.parse(card.last_review)) / DAY);
    next.stability = nextStability(card, days, rating);
    next.difficulty = nextDifficulty(card.difficulty, rating);
  } else {
    next.stability = W[rating - 1];
    next.difficulty = clamp(firstDifficulty(rating), 1, 10);
  }
  let wait = daysUntilReview(next.stability);
  if (next.state !== REVIEW) {
    [next.state, next.step, wait] = learn(next, rating);
  } else if (rating === AGAIN) {
    [next.state, next.step, wait] = [RELEARNING, 0, STEPS[RELEARNING][0]];
  }
  next.due = new Date(now + wait).toISOString();
  next.last_review = new Date(now).toISOString();
  return next;
}
