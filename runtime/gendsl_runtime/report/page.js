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

  // Figures, each in the width there is.
  const config = json(document.getElementById("chart-config"));
  config.font = getComputedStyle(document.body).getPropertyValue("--sans").trim();
  config.aria = false;
  const panel = (parts) => Math.max(1, ...(parts || []).map((part) => part.width));
  const isPlane = (parts) => parts.some((part) => part.layer[0].encoding.x.axis);
  // Entries of a legend in one row, as many as there is room for: what is beyond the edge would be cut off.
  const inRows = (part, room) => [part, ...(part.layer || [])].flatMap((one) => Object.values(one.encoding || {})).forEach((channel) => {
    const legend = channel && channel.legend;
    if (!legend || !legend.columns || !channel.scale || !channel.scale.domain) return;
    const longest = Math.max(...channel.scale.domain.map((label) => String(label).length));
    legend.columns = Math.max(1, Math.min(legend.columns, Math.floor((room - 50) / (40 + 6.5 * longest))));
  });
  const fitted = (spec, room) => {
    const copy = structuredClone(spec);
    inRows(copy.spec || copy, room);
    if (copy.spec) {
      const most = copy.columns || 1;
      copy.columns = Math.max(1, Math.min(most, Math.floor((room - 40) / 210)));
      copy.spec.width = Math.min(420, Math.floor((room - 70) / copy.columns) - 24);
    } else if (copy.vconcat) {
      copy.vconcat.filter((part) => part.columns).forEach((part) => {
        const wide = panel(part.concat) + (isPlane(part.concat) ? 70 : 20);
        part.columns = Math.max(1, Math.min(part.columns, Math.floor((room + 18) / wide)));
      });
    } else {
      copy.width = room;
      copy.autosize = { type: "fit-x", contains: "padding" };
    }
    return copy;
  };
  // How high a figure will about be, so that nothing moves when it is drawn.
  const hasLegend = (part) => [part, ...(part.layer || [])].some((one) => one.encoding && one.encoding.color && (one.encoding.color.legend || {}).orient === "top");
  const tall = (spec) => {
    if (spec.spec) {
      const rows = Math.ceil(spec.usermeta.panels / spec.columns);
      return rows * (spec.spec.height + 44) + 50 + (hasLegend(spec.spec) ? 44 : 0);
    }
    if (spec.vconcat) {
      const parts = spec.vconcat[0].concat || [];
      const columns = spec.vconcat[0].columns || 1;
      const rows = Math.ceil(parts.length / columns);
      const isNamed = parts.some((part) => part.title && part.title.text);
      const inner = Math.max(...parts.map((part) => part.height)) * rows;
      return inner + (isPlane(parts) ? 40 : 0) * rows + (isNamed ? 22 : 0) * rows + (rows - 1) * 18 + 62;
    }
    return spec.height + 46 + (hasLegend(spec) ? 41 : 0);
  };
  const rows = (spec) => Object.values(spec.datasets || {}).flat();
  const views = new Map();
  // One series alone in full strength: by a click on its entry of the legend, or by the button that lies over it.
  const value = (node) => node.__data__ && node.__data__.datum && node.__data__.datum.value;
  const light = (chart) => {
    const chosen = chart.dataset.lit;
    all(".role-mark > path, .role-mark > line, .role-mark > rect", chart).forEach((node) => {
      const datum = node.__data__ && node.__data__.datum;
      const own = datum && (datum.color ?? (datum.datum && datum.datum.color));
      node.style.opacity = chosen === undefined || own === undefined || String(own) === chosen ? "" : 0.07;
    });
    all(".role-legend-symbol > path, .role-legend-label > text", chart).forEach((node) => {
      node.style.opacity = chosen === undefined || String(value(node)) === chosen ? "" : 0.35;
    });
    all(".keys button", chart.closest(".chart")).forEach((key) => key.setAttribute("aria-pressed", key.dataset.series === chosen));
  };
  const keyed = (chart) => {
    const frame = chart.closest(".chart");
    const keys = frame.querySelector(".keys");
    const focused = keys.contains(document.activeElement) ? document.activeElement.dataset.series : undefined;
    const corner = frame.getBoundingClientRect();
    const found = new Map();
    const symbols = all(".role-legend-symbol > path", chart);
    all(".role-scope .role-legend-label > text", chart).forEach((node) => {
      const words = node.getBoundingClientRect();
      const symbol = (symbols.find((one) => value(one) === value(node)) || node).getBoundingClientRect();
      const [left, top] = [Math.min(words.left, symbol.left), Math.min(words.top, symbol.top)];
      const [width, height] = [Math.max(words.right, symbol.right) - left, Math.max(words.bottom, symbol.bottom) - top];
      const key = document.createElement("button");
      key.type = "button";
      key.dataset.series = String(value(node));
      key.append(node.textContent);
      key.style.cssText = `left:${left - corner.left + frame.scrollLeft - 3}px;top:${top - corner.top - 3}px;width:${width + 6}px;height:${height + 6}px`;
      key.addEventListener("click", () => {
        if (chart.dataset.lit === key.dataset.series) delete chart.dataset.lit; else chart.dataset.lit = key.dataset.series;
        light(chart);
      });
      found.set(key.dataset.series, key);
    });
    keys.replaceChildren(...found.values());
    keys.hidden = found.size < 2;
    if (found.has(focused)) found.get(focused).focus({ preventScroll: true });
    light(chart);
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
      light(chart);
    };
    input.parentElement.hidden = false;
    input.oninput = move;
    return move();
  };
  const spec = (chart) => json(document.querySelector(`[data-chart="${CSS.escape(chart.dataset.figure)}"]`));
  const room = (chart) => Math.floor(chart.clientWidth) - 2;
  const draw = async (chart) => {
    const name = chart.dataset.figure;
    const own = spec(chart);
    chart.dataset.room = room(chart);
    const options = { ast: true, actions: false, renderer: "svg", config, tooltip: { disableDefaultStyle: true }, defaultStyle: false };
    const result = await vegaEmbed(chart, fitted(own, room(chart)), options);
    if (views.has(name)) views.get(name).finalize();
    views.set(name, result);
    chart.style.minHeight = "";
    keyed(chart);
    slide(chart, own, result.view);
    offer(chart, own);
  };
  const offer = (chart, own) => {
    const tools = chart.closest("figure").querySelector(".tools");
    if (!tools.hidden) return;
    tools.hidden = false;
    const name = chart.dataset.figure;
    const savers = {
      svg: async () => save(name + ".svg", "image/svg+xml", await views.get(name).view.toSVG()),
      png: async () => save(name + ".png", "image/png", await views.get(name).view.toImageURL("png", 2)),
      json: async () => save(name + ".json", "application/json", JSON.stringify({ ...own, config: json(document.getElementById("chart-config")) })),
      csv: async () => {
        const data = rows(own);
        const heads = [...new Set(data.flatMap(Object.keys))].filter((key) => key !== "url");
        save(name + ".csv", "text/csv", csv([heads, ...data.map((row) => heads.map((head) => row[head]))]));
      },
    };
    all("[data-save]", tools).forEach((button) => button.addEventListener("click", () => savers[button.dataset.save]()));
  };
  const drawn = async (chart) => {
    try { await draw(chart); } catch (error) {
      chart.textContent = "This figure could not be drawn here: " + error.message;
      chart.dataset.failed = "";
    }
  };
  // Those that a reader is about to see are drawn at once, one a task so that the page stays quick; the others when
  // nothing else is to do, so that a search in the page finds what they say.
  const charts = all("[data-figure]");
  const left = new Set(charts);
  const near = new Set();
  const idle = window.requestIdleCallback ? (work) => requestIdleCallback(work, { timeout: 400 }) : (work) => setTimeout(work, 30);
  const take = (chart) => { left.delete(chart); near.delete(chart); return drawn(chart); };
  let isDrawing = false;
  let isResting = false;
  const next = () => {
    if (isDrawing) return;
    if (near.size === 0) document.body.dataset.drawn = views.size;
    if (left.size === 0) { document.body.dataset.whole = ""; return; }
    if (near.size) { isDrawing = true; setTimeout(one); return; }
    if (isResting) return;
    isResting = true;
    idle(() => {
      isResting = false;
      if (!isDrawing && left.size) { isDrawing = true; one(); }
    });
  };
  const one = async () => {
    const chart = [...near, ...left][0];
    if (chart) await take(chart);
    isDrawing = false;
    next();
  };
  const watcher = new IntersectionObserver((entries) => {
    entries.forEach(({ isIntersecting, target }) => {
      if (isIntersecting && left.has(target)) near.add(target); else near.delete(target);
    });
    next();
  }, { rootMargin: "50% 0px" });
  charts.forEach((chart) => {
    chart.setAttribute("aria-hidden", "true"); // the element around it says in words what it shows
    chart.style.minHeight = tall(fitted(spec(chart), room(chart))) + "px";
    watcher.observe(chart);
  });
  if (!charts.length) next();
  let waiting = 0;
  const redraw = async () => {
    for (const chart of charts) if (chart.dataset.room && Math.abs(room(chart) - chart.dataset.room) > 8) await drawn(chart);
  };
  new ResizeObserver(() => { clearTimeout(waiting); waiting = setTimeout(redraw, 120); }).observe(document.querySelector("main"));

  // Paper gets every figure. Drawing only waits for promises, which are done before the next listener is called; but
  // pictures inside of figures are loaded later, so the second listener puts them in.
  addEventListener("beforeprint", () => { [...left].forEach(take); });
  addEventListener("beforeprint", () => {
    all("image", document.querySelector("main")).forEach((node) => {
      const item = node.__data__;
      if (item && item.url && item.url.startsWith("data:") && !node.getAttribute("href")) node.setAttribute("href", item.url);
    });
    next();
  });

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
