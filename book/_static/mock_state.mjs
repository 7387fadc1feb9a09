// What the browser keeps of mock interviews: the one under way in each language, and all reports.
import { load, save } from "./storage.mjs";

const REPORTS = "halfbits-mock-reports";
const key = (language) => `halfbits-mock-${language}`;

/** Whether the question still has the points and follow-ups that the entry counts. */
function fits(bank, { slug, ticks, probe }) {
  const { points, asked } = bank.get(slug);
  return (ticks === null || ticks.length === points.length) && (probe ?? 0) < asked.length;
}

/** The state of the interview under way, if its questions are as they were. */
export function readState(language, bank) {
  const state = load(key(language));
  try {
    const queue = state.queue.every((slug) => bank.has(slug));
    const asked = state.asked.every((entry) => fits(bank, entry));
    return state.version === 1 && queue && asked ? state : null;
  } catch {
    return null;
  }
}

/** Keep the state, or forget it when it is null; false when the browser refuses. */
export const keepState = (language, state) => save(key(language), state);

/** All reports, oldest first. */
export function readReports() {
  const kept = load(REPORTS);
  return Array.isArray(kept) ? kept : [];
}

/** Add a report; one that began at the same moment is the same. */
export function keepReport(report) {
  const others = readReports().filter((other) => other.began !== report.began);
  save(REPORTS, [...others, report]);
  return others;
}
