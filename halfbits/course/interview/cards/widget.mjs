// A card in a notebook: shows what Python sends in `view`, and sends back which button was pressed.
// Keys work while the card has the focus: space turns it, 1 to 4 rate it.

function render({ model, el }) {
  const card = document.createElement("div");
  card.className = "halfbits-card";
  card.tabIndex = 0;
  card.dataset.lmSuppressShortcuts = "true"; // digits would turn the cell into a heading
  el.append(card);

  function show() {
    const { html, lang, buttons } = model.get("view");
    const focused = card.contains(document.activeElement);
    card.lang = lang;
    card.innerHTML = `<div>${html}</div><p></p>`;
    buttons.forEach(([key, label]) => {
      const button = document.createElement("button");
      button.textContent = label;
      button.dataset.key = key;
      button.addEventListener("click", () => model.send(key));
      card.lastElementChild.append(button);
    });
    if (focused) card.focus();
  }

  card.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target !== card && event.key === " ") return; // the button's or summary's own
    const button = card.querySelector(`button[data-key="${CSS.escape(event.key)}"]`);
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();
    button.click();
  });
  model.on("change:view", show);
  show();
}

export default { render };
