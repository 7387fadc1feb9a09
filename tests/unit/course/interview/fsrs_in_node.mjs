// Reads review histories as JSON from standard input and writes the card after each review.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { review } = await import(pathToFileURL(process.argv[2]));
const histories = JSON.parse(readFileSync(0, "utf8"));
const cards = histories.map((history) => {
  let card;
  return history.map(([rating, now]) => (card = review(card, rating, now)));
});
process.stdout.write(JSON.stringify(cards));
