// A lesson's answers open when the reader has written down what they expect, or says they will not.
// What they wrote stays in this browser, under the page's name.
function askForPrediction() {
  const folds = [...document.querySelectorAll("details.hb-answer")];
  const last = folds.at(-1);
  if (!last) return;
  const key = `halfbits-expected:${location.pathname.split("/").at(-1)}`;
  const form = document.createElement("form");
  form.className = "hb-predict";
  form.innerHTML = `<label for="hb-expected">Your prediction</label>
    <textarea id="hb-expected" rows="2"></textarea>
    <p><button type="submit">Keep it and show the answer</button>
    <button type="button">Show it without a prediction</button> <span role="status"></span></p>`;
  const [box, said] = [form.querySelector("textarea"), form.querySelector("[role=status]")];
  let open = false;

  function unlock(words) {
    open = true;
    last.open = true;
    said.textContent = words;
  }

  try {
    box.value = localStorage.getItem(key) ?? "";
    open = box.value !== "";
  } catch {
    // A browser that keeps nothing still asks.
  }
  if (open) said.textContent = "You wrote this before. The answer is below.";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!box.value.trim()) return box.focus();
    try {
      localStorage.setItem(key, box.value.trim());
    } catch {
      // As above.
    }
    unlock("Compare it with the answer below.");
  });
  form.querySelector("button[type=button]").addEventListener("click", () => unlock(""));
  for (const fold of folds) {
    fold.querySelector("summary").addEventListener("click", (event) => {
      if (open) return;
      event.preventDefault();
      said.textContent = "Write down first what you expect.";
      form.scrollIntoView({ block: "center" });
      box.focus({ preventScroll: true });
    });
  }
  last.before(form);
}

askForPrediction();
