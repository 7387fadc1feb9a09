// A mock interview without a screen: draw, steps, report. The same as draw.py, interview.py and
// report.py of halfbits/course/interview/mock, name by name; a test compares them.

export const LEVELS = ["screening", "onsite", "staff"];
const MIX = { screening: ["screening"], onsite: LEVELS.slice(0, 2), staff: LEVELS.slice(1) };
const CHAIN = 2;
const AT_MOST = 5;
const WEAK = 0.8;

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

/** Mulberry32: a function of n that gives a whole number from 0 to n - 1. */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) % n;
  };
}

function shuffled(questions, seed) {
  const below = randomNumbers(seed);
  const result = [...questions];
  for (let last = result.length - 1; last > 0; last--) {
    const other = below(last + 1);
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
}

/** The first of the items whose key, a list of numbers, is smallest. */
function smallest(items, key) {
  let best = items[0];
  for (const item of items.slice(1)) {
    const [mine, its] = [key(item), key(best)];
    const place = mine.findIndex((value, i) => value !== its[i]);
    if (place >= 0 && mine[place] < its[place]) best = item;
  }
  return best;
}

/** Questions that fit into the minutes, in the order to ask them; their topics are spread. */
export function draw(questions, minutes, level, seed) {
  const pool = shuffled(questions.filter((q) => MIX[level].includes(q.level)), seed);
  const needed = new Set(pool.filter((q) => q.level === level).map((q) => q.slug));
  const [drawn, done, byTopic, byKind] = [[], new Set(), {}, {}];
  for (let left = minutes; ; ) {
    const wanted = drawn.length ? level : MIX[level][0];
    const ready = pool.filter(
      (q) =>
        !done.has(q.slug) &&
        q.minutes <= left &&
        q.prerequisites.every((slug) => done.has(slug) || !needed.has(slug)),
    );
    if (!ready.length) return inOrder(drawn);
    const chosen = smallest(ready, (q) => [
      Number(q.level !== wanted), byTopic[q.topic] ?? 0, byKind[q.kind] ?? 0,
    ]);
    drawn.push(chosen);
    done.add(chosen.slug);
    byTopic[chosen.topic] = (byTopic[chosen.topic] ?? 0) + chosen.minutes;
    byKind[chosen.kind] = (byKind[chosen.kind] ?? 0) + 1;
    left -= chosen.minutes;
  }
}

function inOrder(drawn) {
  const waiting = [...drawn].sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
  const result = [];
  while (waiting.length) {
    const names = waiting.map((q) => q.slug);
    const free = waiting.findIndex((q) => !q.prerequisites.some((slug) => names.includes(slug)));
    result.push(...waiting.splice(Math.max(free, 0), 1));
  }
  return result;
}

/** An interview over a bank, a Map of questions by slug; `state` is what is saved. */
export class Interview {
  constructor(bank, state) {
    Object.assign(this, { bank, state });
  }

  static begin(bank, { language, level, minutes, seed }, began = new Date()) {
    const queue = draw([...bank.values()], minutes, level, seed).map((q) => q.slug);
    const state = {
      version: 1, language, level, minutes, seed,
      began: began.toISOString(), queue, asked: [], step: "done",
    };
    const interview = new Interview(bank, state);
    interview.goOn();
    return interview;
  }

  get step() { return this.state.step; }
  get entry() { return this.state.asked.at(-1); }
  get question() { return this.bank.get(this.entry.slug); }
  get seconds() { return sum(this.state.asked.map((entry) => entry.seconds)); }
  get ticks() { return this.entry.ticks ?? this.question.points.map(() => false); }
  /** The follow-up that is being asked, and its answer. */
  get probe() { return this.question.asked[this.entry.probe]; }

  spend(seconds) {
    if (this.step === "done") return;
    this.entry.seconds = Math.round((this.entry.seconds + seconds) * 1000) / 1000;
  }

  answered() {
    this.state.step = { ask: "rate", probe: "judge" }[this.step];
  }

  toggle(place) {
    this.entry.ticks = this.ticks.map((ticked, i) => (i === place ? !ticked : ticked));
  }

  rate() {
    const ticks = (this.entry.ticks = this.ticks);
    const missed = ticks.indexOf(false);
    if (missed < 0 && this.chain()) return this.goOn(true);
    const last = this.question.asked.length - 1;
    this.entry.probe = missed < 0 ? last : this.question.probes[missed];
    this.state.step = "probe";
  }

  judge(good) {
    this.entry.good = good;
    this.goOn();
  }

  /** Put the next question of the chain in front of the queue, if one is left and fits. */
  chain() {
    const { asked, minutes } = this.state;
    const depth = asked.length - 1 - asked.findLastIndex((entry) => !entry.chained);
    const length = (slugs) => sum(slugs.map((slug) => this.bank.get(slug).minutes));
    const known = asked.map((entry) => entry.slug);
    const left = minutes - length(known);
    for (const slug of this.question.follow_ups) {
      if (known.includes(slug) || !this.bank.has(slug) || depth === CHAIN) continue;
      if (length([slug]) > left) continue;
      const queue = [slug, ...this.state.queue.filter((other) => other !== slug)];
      while (length(queue) > left) queue.pop();
      this.state.queue = queue;
      return true;
    }
    return false;
  }

  goOn(chained = false) {
    const [slug, ...rest] = this.state.queue;
    if (!slug || this.seconds >= 60 * this.state.minutes) {
      this.state.step = "done";
      return;
    }
    this.state.asked.push({ slug, chained, seconds: 0, ticks: null, probe: null, good: null });
    this.state.queue = rest;
    this.state.step = "ask";
  }
}

export const score = ({ got, of }) => (of ? got / of : 0);

function counted({ slug, ticks, good, seconds }) {
  const missed = ticks.flatMap((ticked, place) => (ticked ? [] : [place]));
  const got = ticks.length - missed.length + (good ? 1 : 0);
  const of = ticks.length + (good === null ? 0 : 1);
  return { slug, got, of, seconds: Math.round(seconds), missed };
}

/** Scores by topic, what was missed, and what to study next. */
export function report(bank, state) {
  const questions = state.asked.filter((entry) => entry.ticks !== null).map(counted);
  const topics = {};
  for (const entry of questions) {
    const topic = (topics[bank.get(entry.slug).topic] ??= { got: 0, of: 0, seconds: 0 });
    for (const name of Object.keys(topic)) topic[name] += entry[name];
  }
  const byScore = (a, b) => score(a) - score(b);
  const weak = questions.filter((e) => e.missed.length || e.got < e.of).sort(byScore);
  const collect = (name) =>
    [...new Set(weak.flatMap((entry) => bank.get(entry.slug)[name]))].slice(0, AT_MOST);
  const { version, language, level, minutes, seed, began } = state;
  return {
    version, language, level, minutes, seed, began,
    got: sum(questions.map((entry) => entry.got)),
    of: sum(questions.map((entry) => entry.of)),
    seconds: Math.round(sum(state.asked.map((entry) => entry.seconds))),
    questions,
    topics,
    weakest: Object.keys(topics)
      .filter((name) => score(topics[name]) < WEAK)
      .sort((a, b) => byScore(topics[a], topics[b]))
      .slice(0, 2),
    lessons: collect("lessons"),
    exercises: collect("exercises"),
    not_reached: [
      ...state.queue,
      ...state.asked.filter((entry) => entry.ticks === null).map((entry) => entry.slug),
    ],
  };
}

/** By topic, and in all under "", how much the score rose since the last of the same kind. */
export function change(now, reports) {
  const same = reports.filter(
    (r) => r.language === now.language && r.level === now.level && r.began !== now.began,
  );
  const last = same.sort((a, b) => (a.began < b.began ? -1 : 1)).at(-1);
  if (!last) return {};
  const both = Object.keys(now.topics).filter((name) => name in last.topics);
  const rises = both.map((name) => [name, score(now.topics[name]) - score(last.topics[name])]);
  return { "": score(now) - score(last), ...Object.fromEntries(rises) };
}
