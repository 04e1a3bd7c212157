"use strict";
{
  const page = document.body, rows = [...document.querySelectorAll("#leaves tbody tr")];
  const find = (id) => document.getElementById(id);
  const [text, sort, shown, theme] = ["text", "sort", "shown", "theme"].map(find);
  page.classList.add("with-script");

  // A page that was opened from a file may have no storage.
  const remembered = (action) => { try { return action(); } catch { return null; } };
  const dark = () => page.dataset.theme ? page.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const label = () => { theme.textContent = dark() ? "Light colours" : "Dark colours"; };
  const chosen = remembered(() => localStorage.getItem("gradcheck-theme"));
  if (chosen === "dark" || chosen === "light") page.dataset.theme = chosen;
  theme.addEventListener("click", () => {
    page.dataset.theme = dark() ? "light" : "dark";
    remembered(() => localStorage.setItem("gradcheck-theme", page.dataset.theme));
    label();
  });
  label();

  // Where the rows of a table are shown as cards, browsers no longer take it for one.
  const roles = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell" };
  for (const [name, role] of Object.entries(roles)) {
    for (const element of document.querySelectorAll(`.overview ${name}`)) element.setAttribute("role", role);
  }
  for (const element of document.querySelectorAll(".overview th")) {
    element.setAttribute("role", element.scope === "row" ? "rowheader" : "columnheader");
  }

  const sheetOf = (row) => find(row.dataset.sheet);
  const wanted = () => new Set([...document.querySelectorAll("#filters input:checked")].map((box) => box.value));
  const matches = (element, verdicts, words) =>
    verdicts.has(element.dataset.verdict) && words.every((word) => element.dataset.text.toLowerCase().includes(word));

  function filter() {
    const verdicts = wanted(), words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      row.hidden = !matches(row, verdicts, words);
      sheetOf(row).hidden = row.hidden;
    }
    for (const module of document.querySelectorAll(".module")) {
      const sheets = [...module.querySelectorAll(".sheet")];
      module.hidden = !matches(module, verdicts, words) && !sheets.some((sheet) => !sheet.hidden);
    }
    for (const row of document.querySelectorAll("#behaviour tbody tr")) row.hidden = find(row.dataset.module).hidden;
    const count = rows.filter((row) => !row.hidden).length;
    shown.textContent = `${count} of ${rows.length} rows shown`;
  }

  const number = (row, key) => Number(row.dataset[key]);
  const named = (a, b) => a.dataset.text.localeCompare(b.dataset.text);
  const orders = {
    verdict: (a, b) => number(b, "severity") - number(a, "severity") || number(a, "margin") - number(b, "margin"),
    margin: (a, b) => number(a, "margin") - number(b, "margin"),
    "-margin": (a, b) => number(b, "margin") - number(a, "margin"),
    name: named,
  };

  function order() {
    // Infinity - Infinity is no number, and then the names decide.
    rows.sort((a, b) => orders[sort.value](a, b) || named(a, b));
    document.querySelector("#leaves tbody").append(...rows);
    for (const header of document.querySelectorAll("#leaves th[data-sort]")) {
      header.removeAttribute("aria-sort");
      if (header.dataset.sort === sort.value.replace("-", "")) {
        const falls = sort.value.startsWith("-") || sort.value === "verdict";
        header.setAttribute("aria-sort", falls ? "descending" : "ascending");
      }
    }
  }

  function follow() {
    const target = location.hash && find(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let element = target; element; element = element.parentElement) {
      element.hidden = false;
      if (element.matches("details")) element.open = true;
    }
    target.scrollIntoView();
  }

  if (rows.length) {
    find("filters").addEventListener("input", filter);
    find("filters").addEventListener("submit", (event) => event.preventDefault());
    sort.addEventListener("change", order);
    for (const header of document.querySelectorAll("#leaves th[data-sort]")) {
      header.querySelector("button").addEventListener("click", () => {
        const key = header.dataset.sort;
        sort.value = sort.value === key && `-${key}` in orders ? `-${key}` : key;
        order();
      });
    }
    filter();
  }
  addEventListener("hashchange", follow);
  follow();
}
