// Draws and holds interviews as standard input says, and writes their states and reports.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { Interview, change, report } = await import(pathToFileURL(process.argv[2]));
const { questions, interviews } = JSON.parse(readFileSync(0, "utf8"));
const bank = new Map(questions.map((question) => [question.slug, question]));

function hold(interview, choices) {
  let place = 0;
  const next = () => choices[place++ % choices.length];
  while (interview.step !== "done") {
    if (["ask", "probe"].includes(interview.step)) {
      interview.spend(next());
      interview.answered();
    } else if (interview.step === "rate") {
      interview.ticks.forEach((_, i) => next() > 20 && interview.toggle(i));
      interview.rate();
    } else {
      interview.judge(next() > 60);
    }
    interview = new Interview(bank, JSON.parse(JSON.stringify(interview.state)));
  }
  return interview.state;
}

const reports = [];
const results = interviews.map(({ options, choices, began }) => {
  const begun = Interview.begin(bank, options, new Date(began));
  const drawn = [...begun.state.asked.map((entry) => entry.slug), ...begun.state.queue];
  const state = hold(begun, choices);
  const found = report(bank, state);
  const rises = change(found, reports);
  reports.push(found);
  return { drawn, state, report: found, rises };
});
process.stdout.write(JSON.stringify(results));
