"use strict";
// Texts of runs reach the page as text alone (`textContent`, attributes set by name): there is no markup to escape.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (name) => document.getElementById(name);
  const put = (node, attributes = {}, ...children) => {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children.filter((child) => child !== null && child !== ""));
    return node;
  };
  const el = (tag, attributes, ...children) => put(document.createElement(tag), attributes, ...children);
  const svg = (tag, attributes, ...children) => put(document.createElementNS(SVG, tag), attributes, ...children);
  const text = (node, value) => { if (node.textContent !== value) node.textContent = value; };
  const main = byId("main");

  // Words.
  const whole = (value) => value.toLocaleString("en");
  const duration = (seconds) => {
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    const all = Math.round(seconds);
    if (all < 60) return `${all} s`;
    if (all < 3600) return `${Math.floor(all / 60)} min ${String(all % 60).padStart(2, "0")} s`;
    return `${Math.floor(all / 3600)} h ${String(Math.floor(all / 60) % 60).padStart(2, "0")} min`;
  };
  const short = (value) => {
    for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) if (value >= size) return (value / size).toPrecision(3) + letter;
    return value.toPrecision(3);
  };
  const number = (value) => {
    if (value === 0) return "0";
    const size = Math.abs(value);
    return size >= 1e-3 && size < 1e4 ? String(Number(value.toPrecision(3))) : value.toExponential(1).replace("-", "−");
  };
  const coded = (value) => { // what stands between backticks is code
    const parts = value.split("`");
    return parts.length % 2 ? parts.map((part, place) => (place % 2 ? el("code", {}, part) : part)) : [value];
  };
  const date = (value) => new Date(value).toLocaleString("en-GB", { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const percent = (share) => `${Math.floor(100 * share)}%`;
  const ENDS = { finished: "finished", stopped: "stopped", failed: "ended with an error", killed: "ended without a word: its process is gone" };
  const STAGES = { planning: "planning", computing: "computing", claims: "deciding the claims", report: "writing the report" };
  const MARKS = { supported: "✓", refuted: "✗", undecided: "?" };

  // Asking. A part that has not changed is not drawn anew.
  class Unanswered extends Error {}
  const stamps = new Map();
  const ask = async (path) => {
    const known = stamps.get(path);
    const headers = known ? { "if-none-match": known.stamp } : {};
    const answer = await fetch(path, { headers, cache: "no-store" }).catch(() => { throw new Unanswered("none"); });
    if (answer.status === 304) return known.content;
    if (!answer.ok) throw new Unanswered(String(answer.status));
    const content = await answer.json().catch(() => { throw new Unanswered("cut"); });
    const stamp = answer.headers.get("etag");
    if (stamp) stamps.set(path, { stamp, content });
    return content;
  };
  const meter = (label) => {
    const fill = el("span");
    const node = el("div", { class: "meter", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
    node.move = (share) => { fill.style.width = `${100 * share}%`; node.setAttribute("aria-valuenow", String(Math.floor(100 * share))); };
    return node;
  };
  // Children by key: those that stay are kept as they are, so that focus and folding outlive an update.
  const keep = (parent, items, key, make, update) => {
    const known = parent.rows || (parent.rows = new Map());
    const seen = new Set();
    let before = null;
    for (const item of items) {
      const name = key(item);
      seen.add(name);
      if (!known.has(name)) known.set(name, make(item));
      const node = known.get(name);
      update(node, item);
      const place = before ? before.nextSibling : parent.firstChild;
      if (node !== place) parent.insertBefore(node, place);
      before = node;
    }
    for (const [name, node] of known) if (!seen.has(name)) { node.remove(); known.delete(name); }
  };

  // The list of runs.
  const list = () => {
    text(byId("title"), "Runs"); text(byId("lead"), ""); byId("home").hidden = true;
    document.title = "GenDSL: runs";
    const going = el("ul", { class: "entries", id: "going" });
    const ended = el("ul", { class: "entries", id: "ended" });
    const some = el("p", { class: "note" });
    const now = el("section", { "aria-labelledby": "going-title" }, el("h2", { id: "going-title" }, "In progress"), going, some);
    const then = el("section", { "aria-labelledby": "ended-title" }, el("h2", { id: "ended-title" }, "Finished"), ended);
    main.replaceChildren(now, then);
    const entry = (href) => {
      const parts = { title: el("b"), side: el("span", { class: "side" }), under: el("span", { class: "under" }), marks: el("span", { class: "marks" }) };
      const link = el("a", { href }, parts.title, parts.side, parts.under, parts.marks);
      return Object.assign(el("li", {}, link), { parts, link });
    };
    const badges = (node, items) => keep(node, items, ([word]) => word,
      ([word]) => el("span", { class: `badge ${word.split(" ")[0]}` }), (badge, [word, count]) => text(badge, count ? `${count} ${word}` : word));
    return (data) => {
      text(byId("where"), data.store);
      const open = data.live.filter((run) => run.ended !== "finished");
      text(some, open.length ? "" : !data.isThere ? "There is no store at this place, or none any more." : "Nothing runs at the moment. Start something with gen run FILE, and it appears here.");
      keep(going, open, (run) => run.id, (run) => {
        const node = entry(`#${encodeURIComponent(run.id)}`);
        node.meter = meter(`${run.name}, progress`);
        node.link.append(node.meter);
        return node;
      }, (node, run) => {
        text(node.parts.title, run.title || run.name);
        text(node.parts.side, run.ended ? duration(run.seconds) : `${duration(run.seconds)}${run.left === null ? "" : `, about ${duration(run.left)} of training left`}`);
        text(node.parts.under, `${run.name}, begun ${date(1000 * run.started)}`);
        badges(node.parts.marks, [[run.ended || "going", 0]]);
        text(node.parts.marks.firstChild, run.ended || STAGES[run.stage] || run.stage);
        node.meter.move(run.progress);
      });
      keep(ended, data.runs, (run) => run.run, (run) => entry(`runs/${encodeURIComponent(run.run)}/report.html`), (node, run) => {
        text(node.parts.title, run.title || run.run);
        text(node.parts.side, date(run.started));
        text(node.parts.under, `${run.run}, ${duration(run.seconds)}${run.failures ? `, ${whole(run.failures)} failures` : ""}`);
        badges(node.parts.marks, ["supported", "refuted", "undecided"].filter((word) => run.tally[word]).map((word) => [word, run.tally[word]]));
      });
      then.hidden = data.runs.length === 0;
      return open.some((run) => !run.ended);
    };
  };

  // One run.
  const stateOf = ([total, stored, , running, failed]) =>
    stored + failed === total ? (failed ? "failed" : "done") : running ? "running" : "waiting";
  const countOf = ([total, stored, , , failed]) => `${whole(stored)} of ${whole(total)}${failed ? `, ${whole(failed)} failed` : ""}`;

  const picture = (graph) => {
    const [wide, high] = [158, 52];
    const drawing = svg("svg", { class: "graph", width: graph.width, height: graph.height, viewBox: `0 0 ${graph.width} ${graph.height}`, role: "img" });
    graph.edges.forEach((path) => drawing.append(svg("path", { class: "edge", d: path })));
    const nodes = new Map();
    for (const node of graph.nodes) {
      const parts = {
        tip: svg("title"), foot: svg("text", { x: 13, y: 44 }), done: svg("rect", { class: "done", x: 4, y: high - 4, width: 0, height: 3 }),
      };
      const isLeaf = node.state === "claim" || node.state === "figure";
      parts.detail = svg("text", { x: 13, y: isLeaf ? 38 : 31 }, node.detail);
      parts.group = svg("g", { class: `node ${node.state}`, transform: `translate(${node.x} ${node.y})` }, parts.tip,
        svg("rect", { class: "box", width: wide, height: high, rx: 5 }), svg("rect", { class: "stripe", width: 4, height: high, rx: 2 }),
        parts.done, svg("text", { class: "name", x: 13, y: isLeaf ? 22 : 17 }, node.name), parts.detail, parts.foot);
      parts.wide = wide - 8;
      nodes.set(node.key, parts);
      drawing.append(parts.group);
    }
    const update = (state) => {
      for (const [name, step] of Object.entries(state.steps)) {
        const parts = nodes.get(name);
        if (!parts) continue;
        parts.group.setAttribute("class", `node ${stateOf(step)}`);
        parts.done.setAttribute("width", step[0] ? parts.wide * (step[1] + step[4]) / step[0] : 0);
        text(parts.foot, step[5] >= 0.05 ? `${countOf(step)} · ${duration(step[5])}` : countOf(step));
        text(parts.tip, `${name}: ${countOf(step)}, ${whole(step[3])} running, ${whole(step[2])} computed now`);
      }
      for (const claim of state.claims) {
        const parts = nodes.get(claim.name);
        if (parts) { parts.group.setAttribute("class", `node ${claim.outcome === "undecided" ? "claim" : claim.outcome}`); text(parts.detail, claim.outcome); }
      }
      const done = Object.values(state.steps).filter((step) => stateOf(step) === "done").length;
      drawing.setAttribute("aria-label", `What uses what: ${done} of ${Object.keys(state.steps).length} declarations are done`);
    };
    return { drawing, update };
  };

  const WIDE = 300, HIGH = 110, LEFT = 4, TOP = 12, BOTTOM = 94;
  const curve = (node, points) => {
    const drawing = node.drawing;
    if (points.length < 2) { drawing.replaceChildren(); return; }
    const lows = Math.min(...points.map((point) => point[2])), highs = Math.max(...points.map((point) => point[3]));
    const isLog = lows > 0 && highs / lows > 20;
    const scale = isLog ? Math.log : (value) => value;
    const [low, high] = [scale(lows), scale(highs)];
    const [first, last] = [points[0][0], points[points.length - 1][0]];
    const x = (epoch) => (LEFT + (WIDE - 2 * LEFT) * (epoch - first) / (last - first)).toFixed(1);
    const y = (value) => (BOTTOM - (BOTTOM - TOP) * (high > low ? (scale(value) - low) / (high - low) : 0)).toFixed(1);
    const line = (column, some) => some.map((point) => `${x(point[0])} ${y(point[column])}`).join("L");
    drawing.replaceChildren(
      svg("line", { class: "base", x1: LEFT, x2: WIDE - LEFT, y1: BOTTOM + 0.5, y2: BOTTOM + 0.5 }),
      svg("path", { class: "band", d: `M${line(3, points)}L${line(2, [...points].reverse())}Z` }),
      svg("path", { class: "mean", d: `M${line(1, points)}` }),
      svg("text", { x: WIDE - LEFT, y: 9, "text-anchor": "end" }, `${number(highs)}${isLog ? ", log scale" : ""}`),
      svg("text", { x: LEFT, y: BOTTOM - 4 }, number(lows)),
      svg("text", { x: WIDE - LEFT, y: HIGH - 3, "text-anchor": "end" }, `epoch ${whole(last)}`));
    drawing.setAttribute("aria-label", `Training loss: mean ${number(points[points.length - 1][1])} after epoch ${whole(last)}, from ${number(points[0][1])}`);
  };
  const stack = () => {
    const node = el("article", { class: "stack" });
    node.head = el("h3"); node.foot = el("p");
    node.drawing = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": "Training loss" });
    node.append(node.head, node.drawing, node.foot);
    return node;
  };
  const restack = (node, one) => {
    node.className = `stack ${one.state === "running" ? "" : one.state === "failed" ? "lost" : "over"}`;
    text(node.head, `${one.steps.join(", ")}${one.where ? `, ${one.where}` : ""}`);
    const count = `${whole(one.members)} ${one.members === 1 ? "network" : "networks"}`;
    const last = one.points[one.points.length - 1];
    const parts = [count, one.state === "done" ? "" : one.state === "failed" ? "failed" : percent(one.share), last ? `loss ${number(last[1])}` : "", one.rate ? `${short(one.rate)} steps/s` : ""];
    text(node.foot, parts.filter(Boolean).join(" · "));
    const stamp = `${one.points.length} ${last}`;
    if (node.stamp !== stamp) { node.stamp = stamp; curve(node, one.points); }
  };

  const interval = (line, outcome) => {
    const at = (place) => (14 + 312 * place).toFixed(1);
    const upright = (kind, place, reach) => svg("line", { class: kind, x1: at(place), x2: at(place), y1: 22 - reach, y2: 22 + reach });
    const drawing = svg("svg", { class: `interval ${outcome}`, viewBox: "0 0 340 58", "aria-hidden": "true" });
    if (line.side === "below") drawing.append(svg("rect", { class: "claimed", x: 14, y: 13, width: 312 * line.threshold, height: 18 }));
    if (line.side === "above") drawing.append(svg("rect", { class: "claimed", x: at(line.threshold), y: 13, width: 312 * (1 - line.threshold), height: 18 }));
    drawing.append(svg("line", { class: "axis", x1: 14, x2: 326, y1: 22, y2: 22 }), upright("threshold", line.threshold, 12));
    if (line.high - line.low > 0.002) {
      drawing.append(svg("line", { class: "span", x1: at(line.low), x2: at(line.high), y1: 22, y2: 22 }));
      if (!line.is_open_low) drawing.append(upright("end", line.low, 5));
      if (!line.is_open_high) drawing.append(upright("end", line.high, 5));
    }
    const anchor = line.threshold < 0.12 ? "start" : line.threshold > 0.88 ? "end" : "middle";
    drawing.append(svg("circle", { class: "centre", cx: at(line.centre), cy: 22, r: 4.5 }),
      svg("text", { x: at(line.threshold), y: 50, "text-anchor": anchor }, line.labels[0]));
    return drawing;
  };
  const card = ([name, claim, caption]) => {
    const node = el("article", { class: "card open", "aria-label": name.replaceAll("_", " ") });
    node.mark = el("span", { class: "mark", "aria-hidden": "true" }, "…");
    node.outcome = el("span", {}, "waits for its results");
    node.found = el("div", { class: "found" });
    node.append(el("div", { class: "said" }, el("p", { class: "outcome" }, node.mark, node.outcome),
      el("h3", {}, name.replaceAll("_", " ")), el("code", { class: "claim" }, claim), caption ? el("p", { class: "caption" }, caption) : null), node.found);
    return node;
  };
  const recard = (node, found) => {
    const stamp = JSON.stringify(found);
    if (!found || node.stamp === stamp) return;
    node.stamp = stamp;
    node.className = `card ${found.outcome}`;
    text(node.mark, MARKS[found.outcome]); text(node.outcome, found.outcome);
    node.found.replaceChildren(...[
      found.line ? put(el("div", { role: "img", "aria-label": found.summary }), {}, interval(found.line, found.outcome)) : null,
      el("p", { class: "estimate" }, found.estimate), el("p", { class: "facts" }, found.facts.join(" · ")),
      found.why ? el("p", { class: "why" }, found.why) : null, ...found.warnings.map((warning) => el("p", { class: "warning" }, warning)),
    ].filter(Boolean));
  };

  const view = (plan) => {
    text(byId("title"), plan.title || plan.name); byId("home").hidden = false;
    text(byId("lead"), plan.about);
    text(byId("where"), `${plan.name}, begun ${date(1000 * plan.started)}`);
    document.title = plan.title || plan.name;
    const stage = el("span", { class: "stage" }), time = el("span", { class: "time" }), bar = meter("Progress"), more = el("p", { class: "note" }), link = el("p");
    const status = el("div", { class: "status", id: "status" }, el("div", { class: "row" }, stage, time), bar, more, link);
    const drawn = picture(plan.graph);
    const key = el("p", { class: "note key" });
    [["waiting", "waits"], ["running", "running"], ["done", "done"], ["failed", "some failed"], ["claim", "claim"], ["figure", "figure"]].forEach(
      ([kind, word]) => key.append(el("span", {}, el("span", { class: `swatch ${kind}` }), word)));
    const frame = el("div", { class: "scroll broad", tabindex: "0", role: "region", "aria-label": "Declarations and what uses what" });
    frame.append(drawn.drawing);
    const stacks = el("div", { class: "stacks" });
    const training = el("section", { "aria-labelledby": "training-title" }, el("h2", { id: "training-title" }, "Training"), stacks,
      el("p", { class: "note" }, "Training loss of each stack of networks that are trained together: the line is the mean over its members, the band goes from the lowest to the highest."));
    const cards = el("div");
    const provisional = el("p", { class: "note" });
    const claims = el("section", { "aria-labelledby": "claims-title" }, el("h2", { id: "claims-title" }, "Claims"), cards, provisional);
    const warned = el("section", { "aria-labelledby": "warnings-title" }, el("h2", { id: "warnings-title" }, "Warnings"),
      el("ul", { class: "failures warned" }, ...plan.warnings.map((warning) => el("li", {}, ...coded(warning)))));
    const details = el("section", { "aria-labelledby": "details-title" }, el("h2", { id: "details-title" }, "Details"),
      el("details", {}, el("summary", {}, el("h3", {}, "Specification")), el("pre", { class: "listing scroll", tabindex: "0", role: "region", "aria-label": "Specification" }, el("code", {}, plan.text))),
      el("details", {}, el("summary", {}, el("h3", {}, "Process")), el("dl", { class: "facts-list" },
        ...[["Command", plan.command.join(" ")], ["File", plan.path], ["Process", `${plan.pid} on ${plan.host}`]].map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))))));
    main.replaceChildren(
      el("section", { "aria-label": "Progress" }, status), ...(plan.claims.length ? [claims] : []), training,
      el("section", { "aria-labelledby": "graph-title" }, el("h2", { id: "graph-title" }, "Declarations"), key, frame), ...(plan.warnings.length ? [warned] : []), details);
    let told = "";
    return (state) => {
      const isOver = state.ended !== "";
      status.className = `status ${state.ended}`;
      const look = state.looks.length ? `, look ${state.looks.length + (isOver ? 0 : 1)}` : "";
      text(stage, isOver ? ENDS[state.ended] : (STAGES[state.stage] || state.stage) + look);
      const steps = Object.values(state.steps);
      const total = steps.reduce((sum, step) => sum + step[0], 0), over = steps.reduce((sum, step) => sum + step[1] + step[4], 0);
      text(time, `${duration(state.seconds)}${!isOver && state.left !== null ? `, about ${duration(state.left)} of training left` : ""}`);
      text(more, `${whole(over)} of ${whole(total)} results${state.waiting.length ? `; some are computed by another run (${state.waiting.join(", ")})` : ""}${state.message ? `. ${state.message}` : ""}`);
      bar.move(state.ended === "finished" ? 1 : state.progress);
      if (state.ended === "finished" && !link.hasChildNodes())
        link.append(el("a", { class: "go", id: "report", href: `runs/${encodeURIComponent(state.run)}/report.html` }, "Open the report"));
      drawn.update(state);
      training.hidden = state.trainings.length === 0;
      const order = { running: 0, failed: 1, done: 2 };
      keep(stacks, [...state.trainings].sort((a, b) => order[a.state] - order[b.state]), (one) => one.id, stack, restack);
      const found = new Map(state.claims.map((claim) => [claim.name, claim]));
      keep(cards, plan.claims, ([name]) => name, card, (node, [name]) => recard(node, found.get(name)));
      text(provisional, isOver ? "" : "A claim is decided once all that it needs is there, never from a part of its seeds; Holm’s correction over all claims comes at the end.");
      const said = `${isOver ? ENDS[state.ended] : STAGES[state.stage] || state.stage}; ${found.size} of ${plan.claims.length} claims decided`;
      if (said !== told) { told = said; text(byId("said"), said); }
      return !isOver;
    };
  };

  // Following: once a second while something runs and the page is seen.
  let update = null, shown = null, timer = 0, turn = 0;
  const follow = async () => {
    clearTimeout(timer);
    const own = ++turn;
    const id = decodeURIComponent(location.hash.slice(1));
    const isRun = id !== "" && id !== "main";
    let isGoing = false;
    try {
      if (isRun) {
        const path = `api/live/${encodeURIComponent(id)}`;
        if (shown !== id) { const plan = await ask(`${path}/plan`); if (own !== turn) return; update = view(plan); shown = id; scrollTo(0, 0); }
        const state = await ask(`${path}/state`);
        if (own !== turn) return;
        isGoing = update(state);
      } else {
        const data = await ask("api/runs");
        if (own !== turn) return;
        if (shown !== "") { update = list(); shown = ""; }
        isGoing = update(data);
      }
      text(byId("foot"), "This page is served by gen serve on this machine, and by nobody else.");
    } catch (error) {
      if (own !== turn) return;
      if (!(error instanceof Unanswered)) throw error;
      const isGone = isRun && error.message === "404";
      text(byId("foot"), isGone ? "There is no record of this run any more." : "The server does not answer; is gen serve still running?");
      if (isGone && shown !== id) { location.hash = ""; }
    }
    document.body.dataset.updated = String(Date.now());
    if (own === turn) timer = setTimeout(follow, document.hidden ? 10000 : isGoing ? 1000 : 3000);
  };
  addEventListener("hashchange", follow);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) follow(); });
  follow();
})();
