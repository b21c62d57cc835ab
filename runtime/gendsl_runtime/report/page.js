"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const json = (element) => JSON.parse(element.textContent);

  const save = (name, type, content) => {
    const link = document.createElement("a");
    const isUrl = content.startsWith("data:");
    link.href = isUrl ? content : URL.createObjectURL(new Blob([content], { type }));
    link.download = name;
    link.click();
    if (!isUrl) setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  // A cell that a spreadsheet would take for a formula is kept as text.
  const field = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    const safe = /^[=+@\t\r]|^-(?![\d.])/.test(text) ? "'" + text : text;
    return /[",\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  };
  const csv = (rows) => rows.map((row) => row.map(field).join(",")).join("\n") + "\n";

  // Theme: the system's, until the reader chooses.
  const theme = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const named = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.hidden = false;
  theme.addEventListener("click", () => { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; named(); });
  system.addEventListener("change", named);
  named();

  // Tables.
  const cells = (row) => [...row.children].map((cell) => cell.dataset.v ?? cell.textContent.trim());
  all("[data-sort]").forEach((button) => button.addEventListener("click", () => {
    const head = button.closest("th");
    const body = head.closest("table").tBodies[0];
    const place = [...head.parentElement.children].indexOf(head);
    const falls = head.getAttribute("aria-sort") === "ascending";
    const isNumber = head.classList.contains("number");
    const value = (row) => row.children[place].dataset.v;
    const order = (a, b) => {
      const [left, right] = [value(a), value(b)];
      if (left === "" || right === "") return (left === "") - (right === "");
      const sign = falls ? -1 : 1;
      return sign * (isNumber ? Number(left) - Number(right) : left.localeCompare(right, "en", { numeric: true }));
    };
    all("th", head.parentElement).forEach((other) => other.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", falls ? "descending" : "ascending");
    body.append(...[...body.rows].sort(order));
  }));
  all("[data-csv]").forEach((button) => button.addEventListener("click", () => {
    const table = button.closest(".sheet").querySelector("table");
    const head = all("th", table).map((cell) => cell.textContent.trim());
    save(button.dataset.csv + ".csv", "text/csv", csv([head, ...[...table.tBodies[0].rows].map(cells)]));
  }));
  all("[data-file]").forEach((button) => button.addEventListener("click", () => {
    const name = button.dataset.file;
    const content = json(document.querySelector(`[data-content="${CSS.escape(name)}"]`));
    save(name, "", "data:application/vnd.apache.parquet;base64," + content);
  }));
  const bibtex = document.getElementById("bibtex");
  if (bibtex) bibtex.addEventListener("click", () => save("references.bib", "text/plain", json(document.getElementById("bibtex-text"))));

  // Figures, one after the other so that the page stays quick; each in the width there is.
  const config = json(document.getElementById("chart-config"));
  config.font = getComputedStyle(document.body).getPropertyValue("--sans").trim();
  config.aria = false;
  const panel = 230;
  const fitted = (spec, room) => {
    const copy = structuredClone(spec);
    if (copy.spec) {
      const most = copy.columns || 1;
      copy.columns = Math.max(1, Math.min(most, Math.floor((room - 40) / 210)));
      copy.spec.width = Math.min(420, Math.floor((room - 70) / copy.columns) - 24);
    } else if (copy.vconcat) {
      copy.vconcat.filter((part) => part.columns).forEach((part) => {
        part.columns = Math.max(1, Math.min(part.columns, Math.floor((room + 18) / (panel + 70))));
      });
    } else {
      copy.width = room;
      copy.autosize = { type: "fit-x", contains: "padding" };
    }
    return copy;
  };
  const rows = (spec) => Object.values(spec.datasets || {}).flat();
  const views = new Map();
  // A click on an entry of the legend leaves that series alone in full strength; another click brings all back.
  const lit = (chart) => {
    const entries = all(".role-legend-entry .role-legend-symbol > path, .role-legend-entry .role-legend-label > text", chart);
    const value = (node) => node.__data__ && node.__data__.datum && node.__data__.datum.value;
    const apply = () => {
      const chosen = chart.dataset.lit;
      all(".role-mark > path, .role-mark > line, .role-mark > rect", chart).forEach((node) => {
        const datum = node.__data__ && node.__data__.datum;
        const own = datum && (datum.color ?? (datum.datum && datum.datum.color));
        node.style.opacity = chosen === undefined || own === undefined || String(own) === chosen ? "" : 0.07;
      });
      entries.forEach((node) => { node.style.opacity = chosen === undefined || String(value(node)) === chosen ? "" : 0.35; });
    };
    entries.forEach((node) => {
      node.style.cursor = "pointer";
      node.style.pointerEvents = "all";
      node.addEventListener("click", () => {
        if (chart.dataset.lit === String(value(node))) delete chart.dataset.lit; else chart.dataset.lit = String(value(node));
        apply();
      });
    });
    apply();
  };
  const slide = (chart, spec, view) => {
    const input = chart.closest("figure").querySelector("[data-slide]");
    if (!input) return;
    const labels = spec.usermeta.slider.labels;
    const move = async () => {
      const place = Number(input.value);
      input.parentElement.querySelector("output").textContent = labels[place];
      input.setAttribute("aria-valuetext", labels[place]);
      await view.signal("slide", place).runAsync();
      lit(chart);
    };
    input.parentElement.hidden = false;
    input.oninput = move;
    return move();
  };
  const draw = async (chart) => {
    const name = chart.dataset.figure;
    const spec = json(document.querySelector(`[data-chart="${CSS.escape(name)}"]`));
    const room = Math.floor(chart.clientWidth) - 2;
    chart.dataset.room = room;
    const options = { ast: true, actions: false, renderer: "svg", config, tooltip: { disableDefaultStyle: true }, defaultStyle: false };
    const result = await vegaEmbed(chart, fitted(spec, room), options);
    if (views.has(name)) views.get(name).finalize();
    views.set(name, result);
    chart.setAttribute("aria-hidden", "true"); // the figure around it says in words what it shows
    lit(chart);
    slide(chart, spec, result.view);
    const figure = chart.closest("figure");
    const tools = figure.querySelector(".tools");
    if (!tools.hidden) return;
    tools.hidden = false;
    const savers = {
      svg: async () => save(name + ".svg", "image/svg+xml", await views.get(name).view.toSVG()),
      png: async () => save(name + ".png", "image/png", await views.get(name).view.toImageURL("png", 2)),
      json: async () => save(name + ".json", "application/json", JSON.stringify({ ...spec, config: json(document.getElementById("chart-config")) })),
      csv: async () => {
        const data = rows(spec);
        const heads = [...new Set(data.flatMap(Object.keys))].filter((key) => key !== "url");
        save(name + ".csv", "text/csv", csv([heads, ...data.map((row) => heads.map((head) => row[head]))]));
      },
    };
    all("[data-save]", tools).forEach((button) => button.addEventListener("click", () => savers[button.dataset.save]()));
  };
  const charts = all("[data-figure]");
  const failed = (chart, error) => { chart.textContent = "This figure could not be drawn here: " + error.message; chart.dataset.failed = ""; };
  const drawAll = async (some) => {
    for (const chart of some) {
      try { await draw(chart); } catch (error) { failed(chart, error); }
      await new Promise((next) => setTimeout(next));
    }
    document.body.dataset.drawn = views.size;
  };
  let drawing = drawAll(charts);
  let waiting = 0;
  new ResizeObserver(() => {
    clearTimeout(waiting);
    const stale = (chart) => chart.dataset.room && Math.abs(chart.clientWidth - 2 - chart.dataset.room) > 8;
    waiting = setTimeout(() => { drawing = drawing.then(() => drawAll(charts.filter(stale))); }, 120);
  }).observe(document.querySelector("main"));

  // On paper the folded parts that belong there are open.
  let opened = [];
  addEventListener("beforeprint", () => { opened = all("details[data-print]:not([open])"); opened.forEach((part) => { part.open = true; }); });
  addEventListener("afterprint", () => opened.forEach((part) => { part.open = false; }));
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target && target.closest("details:not([open])");
    if (folded) { folded.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
