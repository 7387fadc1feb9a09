// Loads the index of the language that the query is written in, and offers the other one. Of the
// Chinese index it loads those parts alone that hold a pair of characters of the query.
{
  const said = SAID;
  const asked = new URLSearchParams(location.search);
  const query = asked.get("q") ?? "";
  const isChinese = (text) => /[\u3400-\u9fff]/.test(text);
  const language = asked.get("lang") ?? (isChinese(query) ? "zh" : "en");
  const taken = { index: {}, terms: {} };

  /** The places whose gaps `search_pack.py` wrote as characters from "#" on; "~" says more follow. */
  function places(text) {
    let at = -1;
    return (text.match(/~*[^~]/g) ?? []).map((gap) =>
      (at += (gap.length - 1) * 91 + gap.charCodeAt(gap.length - 1) - 34));
  }

  /** A table of words and places, from the two texts that it was packed into. */
  function unpacked([words, found]) {
    let word = "";
    const each = found.split(" ");
    return Object.fromEntries(words ? words.split(" ").map((rest, i) =>
      [(word = [...word].slice(0, rest[0]).join("") + rest.slice(1)), places(each[i])]) : []);
  }

  function whole({ own, terms, titleterms, alltitles, ...index }) {
    for (const at of places(own)) {
      (alltitles[index.titles[at]] ??= []).push([at, null]);
      alltitles[index.titles[at]].sort(([one], [other]) => one - other);
    }
    return { ...index, alltitles, terms: unpacked(terms), titleterms: unpacked(titleterms) };
  }

  const opened = { index: whole, terms: unpacked };
  Search.take = (kind, content) => Object.assign(taken[kind], opened[kind](content));

  function load(file) {
    return new Promise((done, fail) => {
      const script = document.createElement("script");
      Object.assign(script, { src: `${file}.js`, onload: done, onerror: fail });
      document.head.append(script);
    });
  }

  async function loadIndex() {
    const words = language === "zh" ? splitQuery(query).filter(isChinese) : [];
    const parts = new Set(words.map((word) => word.codePointAt(0) % said.parts));
    const files = [`searchindex-${language}`, ...[...parts].map((part) => `searchindex-zh-${part}`)];
    await Promise.all(files.map(load));
    Object.assign(taken.index.terms, taken.terms);
    Search.setIndex(taken.index);
  }

  /** An entry `page#question` as the page with the anchor that leads to the question. */
  function withAnchor([name, title, anchor, ...rest]) {
    const [page, question] = name.split("#");
    return [page, title, question ? `#${question}` : anchor, ...rest];
  }

  /** The entries that hold every word, by the sum of what each word counts. */
  function withAll(find, words, excluded) {
    const [first, ...others] = [...words].map((word) => find(new Set([word]), excluded));
    const scores = others.map((found) => new Map(found.map((entry) => [entry[0], entry[4]])));
    return (first ?? [])
      .filter(([name]) => scores.every((of) => of.has(name)))
      .map(([name, title, anchor, text, score, file]) =>
        [name, title, anchor, text, scores.reduce((sum, of) => sum + of.get(name), score), file]);
  }

  function offerTheOther() {
    const other = language === "zh" ? "en" : "zh";
    const link = document.createElement("a");
    link.href = `?${new URLSearchParams({ q: query, lang: other })}`;
    link.lang = said.lang[other];
    link.textContent = said.other[other];
    const line = document.createElement("p");
    line.append(link);
    document.getElementById("search-results").before(line);
  }

  if (query) {
    const perform = Search._performSearch;
    const find = Search.performTermsSearch;
    Search.performTermsSearch = (...given) => withAll(find, ...given);
    Search._performSearch = (...given) => perform(...given).map(withAnchor);
    loadIndex();
    document.addEventListener("DOMContentLoaded", offerTheOther);
  }
}
