// What a reader has done: lessons read, quizzes answered, the page they were on. This browser keeps
// it; the course's own server keeps it as well, with mock interviews, so that another browser or port
// does not lose it. Of each entry the later one counts. Flashcards go by a file alone: what was undone
// in one browser would come back from another.
const learned = {
  parts: { entries: "halfbits-learned", cards: "halfbits-cards", reports: "halfbits-mock-reports" },
  root: new URL(document.documentElement.dataset.content_root ?? "./", location.href).href,
  served: document.querySelector('meta[name="halfbits-lab"]') !== null,

  /** What the browser keeps of a part; null without it. */
  part(name) {
    try {
      return JSON.parse(localStorage.getItem(this.parts[name]));
    } catch {
      return null;
    }
  },

  keepPart(name, content) {
    try {
      localStorage.setItem(this.parts[name], JSON.stringify(content));
    } catch {
      // A browser that keeps nothing still shows what is on the page.
    }
  },

  entry(name) {
    return this.part("entries")?.[name];
  },

  keep(name, entry) {
    const at = new Date().toISOString();
    this.keepPart("entries", { ...this.part("entries"), [name]: { ...entry, at } });
    this.send();
  },

  /** A page's name: its address below the book's root, without the suffix. */
  page(address) {
    const { origin, pathname } = new URL(address, location.href);
    const place = `${origin === "null" ? "file://" : origin}${pathname}`;
    return place.startsWith(this.root) ? place.slice(this.root.length).replace(/\.html$/, "") : "";
  },

  /** All parts, to be sent or exported. */
  content() {
    const names = Object.keys(this.parts);
    return Object.fromEntries(names.map((name) => [name, this.part(name)]).filter(([, it]) => it));
  },

  /** Take over another content: of each entry the later, and every report once. */
  take({ entries = {}, reports = [] }) {
    const mine = this.content();
    this.keepPart("entries", later(mine.entries ?? {}, entries));
    const all = onlyOnce([...(mine.reports ?? []), ...reports], (report) => report.began);
    if (all.length) this.keepPart("reports", all.sort((a, b) => (a.began < b.began ? -1 : 1)));
  },

  /** Take over what the course's server keeps. */
  async fetch() {
    if (!this.served) return;
    const answer = await fetch(`${this.root}learned.json`);
    if (!answer.ok) return;
    const { token, ...content } = await answer.json();
    this.token = token;
    this.take(content);
    this.send();
  },

  async send() {
    if (!this.token) return;
    const headers = { "Content-Type": "application/json", "X-XSRFToken": this.token };
    const { cards, ...sent } = this.content();
    const body = JSON.stringify(sent);
    await fetch(`${this.root}learned.json`, { method: "POST", headers, body });
  },
};

function later(mine, theirs) {
  const newer = ([name, one]) => !mine[name] || mine[name].at < one.at;
  return { ...mine, ...Object.fromEntries(Object.entries(theirs).filter(newer)) };
}

function onlyOnce(all, name) {
  return [...new Map(all.map((one) => [name(one), one])).values()];
}

/** Keep which choices of a lesson's quiz were opened, and say how many were right at once. */
function keepQuiz(page) {
  const quiz = document.querySelector(".hb-quiz");
  if (!quiz) return;
  const questions = [...quiz.querySelectorAll(".hb-question")].map((question, number) => {
    question.setAttribute("role", "group");
    question.setAttribute("aria-label", `Question ${number + 1}`);
    return [...question.querySelectorAll("details.hb-choice")];
  });
  const line = document.createElement("p");
  line.className = "hb-score";
  line.innerHTML = '<span role="status"></span> <button type="button">Answer again</button>';
  quiz.append(line);
  const [said, again] = line.children;
  let opened = learned.entry(`quiz:${page}`)?.opened ?? [];
  if (opened.length !== questions.length) opened = questions.map(() => []);

  const isRight = (choice) => choice.classList.contains("hb-right");
  /** The choices that count: as many as are right, in the order in which they were opened. */
  const counted = (number) => {
    const choices = questions[number];
    return opened[number].slice(0, choices.filter(isRight).length).map((place) => choices[place]);
  };

  function score() {
    const tried = opened.filter((places) => places.length).length;
    const right = questions.filter((choices, number) => {
      const first = counted(number);
      return first.length === choices.filter(isRight).length && first.every(isRight);
    }).length;
    const total = questions.length;
    said.textContent = tried
      ? `${tried} of ${total} questions tried, ${right} right at once.`
      : "The first choice that you open counts.";
    again.hidden = tried === 0;
    return { tried, right, total };
  }

  questions.forEach((choices, number) => {
    choices.forEach((choice, place) => {
      choice.open = opened[number].includes(place);
      choice.addEventListener("toggle", () => {
        if (!choice.open || opened[number].includes(place)) return;
        opened[number].push(place);
        learned.keep(`quiz:${page}`, { opened, ...score() });
      });
    });
  });
  again.addEventListener("click", () => {
    opened = questions.map(() => []);
    for (const choice of questions.flat()) choice.open = false;
    learned.keep(`quiz:${page}`, { opened, ...score() });
  });
  score();
}

/** A box to tick at the end of a lesson. */
function offerRead(page) {
  const line = document.createElement("p");
  line.className = "hb-read";
  line.innerHTML = '<label><input type="checkbox" /> I have read this lesson</label>';
  const box = line.querySelector("input");
  box.checked = learned.entry(`read:${page}`)?.yes ?? false;
  box.addEventListener("change", () => learned.keep(`read:${page}`, { yes: box.checked }));
  document.querySelector("article").append(line);
}

/** Tick the lessons in the contents that were read. */
function tickLessons() {
  for (const link of document.querySelectorAll(".bd-docs-nav a")) {
    if (link.querySelector(".hb-tick") || !learned.entry(`read:${learned.page(link.href)}`)?.yes) continue;
    const mark = document.createElement("span");
    mark.className = "hb-tick hb-solved";
    mark.textContent = " read";
    link.append(mark);
  }
}

/** A way from the home page to where one was. */
function offerToContinue() {
  const ways = document.querySelector(".hb-buttons > p");
  const last = learned.entry("last");
  if (!ways || !last) return;
  const link = document.createElement("a");
  link.href = `${learned.root}${last.page}.html`;
  link.textContent = `Continue: ${last.title}`;
  ways.append(link);
}

async function showLearned() {
  try {
    await learned.fetch();
  } catch {
    // A server that has stopped: the page stays readable, and the browser keeps what is done.
  }
  const page = learned.page(location.href);
  const isLesson = document.querySelector(".hb-facts") !== null;
  if (isLesson || page.startsWith("exercises/")) {
    const title = document.querySelector("h1").firstChild.textContent.trim();
    learned.keep("last", { page, title });
  }
  if (isLesson) {
    keepQuiz(page);
    offerRead(page);
  }
  tickLessons();
  offerToContinue();
  document.dispatchEvent(new Event("halfbits-learned"));
}

showLearned();
