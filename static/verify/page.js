// The page: takes a file, shows each check as it comes out, the place that breaks, and the verdict. Nothing leaves it.
"use strict";
((heyi) => {
  const root = document.querySelector("[data-verifier]");
  if (!root) return;
  const { FAILS, HOLDS, NOT_REACHED, NOT_TRUSTED, UNABLE, isObject, has, reason } = heyi;
  const part = (name) => root.querySelector(`[data-${name}]`);
  const read = (name) => JSON.parse(root.dataset[name]);
  const [words, sentences, kinds, checks] = ["words", "sentences", "kinds", "checks"].map(read);
  const [form, file, key, verdict, progress] = ["form", "file", "key", "verdict", "progress"].map(part);
  const [result, subject, list, broken] = ["result", "subject", "checks-list", "broken"].map(part);

  const MARKS = { [HOLDS]: "✓", [FAILS]: "✗", [NOT_TRUSTED]: "!", [UNABLE]: "?", [NOT_REACHED]: "–", now: "…" };
  const TONES = { [HOLDS]: "done", [FAILS]: "warn", [NOT_TRUSTED]: "warn", [UNABLE]: "warn", [NOT_REACHED]: "wait", now: "wait" };
  const AUDIENCES = { public: reason("the public"), party: reason("the parties"), panel: reason("the panel"), full: reason("the full record") };
  const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

  // What a hostile file says is shown, never obeyed.
  const plain = (text) => String(text).replace(UNPRINTABLE, "\uFFFD");
  const filled = (text, params) => text.replace(/%\((\w+)\)s/g, (_all, name) => {
    const value = params[name];
    return isObject(value) && has(value, "msgid") ? told(value) : plain(value);
  });
  const told = ({ msgid, params }) => filled(sentences[msgid] || msgid, params);
  const worded = (name, params = {}) => filled(words[name], params);

  const made = (tag, className, ...inside) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...inside);
    return element;
  };
  const paragraph = (text, className = "") => made("p", className, text);

  // Checks, each with its state: drawn once, then changed where something came out.
  const item = (name) => {
    const line = made("li", "check");
    line.dataset.check = name;
    list.append(line);
    return line;
  };

  const showCheck = (line, outcome, report) => {
    if (line.dataset.state === outcome.state) return;
    const { title, proves, leaves_open: open } = checks.find((check) => check.name === outcome.name);
    const mark = made("span", "check-mark", MARKS[outcome.state]);
    mark.setAttribute("aria-hidden", "true");
    const state = made("span", `badge tone-${TONES[outcome.state]}`, words[outcome.state]);
    const parts = [made("h3", "check-title", mark, made("span", "check-name", title), state)];
    if (outcome.state === HOLDS) {
      parts.push(paragraph(worded("proves", { what: proves })), paragraph(worded("leaves open", { what: open }), "meta"));
    }
    if (outcome.reason) parts.push(made("p", "", made("bdi", "", told(outcome.reason))));
    if (outcome.state === FAILS && outcome.place) parts.push(made("p", "meta", made("bdi", "", worded("place", { place: outcome.place }))));
    const lines = { motions: report.verdicts, draws: report.draws }[outcome.name] || [];
    if (lines.length) parts.push(made("ul", "", ...lines.map((one) => made("li", "", made("bdi", "", told(one.words))))));
    line.dataset.state = outcome.state;
    line.replaceChildren(...parts);
  };

  const showChecks = (report, current) => {
    for (const [at, name] of report.names.entries()) {
      const line = list.children[at] || item(name);
      const state = name === current ? "now" : NOT_REACHED;
      showCheck(line, report.outcomes[at] || { name, state, place: "", reason: null }, report);
    }
  };

  const fact = (name, value) => made("div", "", made("dt", "", name), made("dd", "", made("bdi", "plain-text", plain(value))));
  const valueText = (value) => (typeof value === "string" ? value : JSON.stringify(value));

  // What a receipt discloses is shown only when it has been shown to stand in the record.
  const showSubject = ({ bundle, receipt, checkpoint, outcomes }) => {
    const lines = [];
    if (bundle) {
      const params = { audience: AUDIENCES[bundle.audience], case: bundle.case, n: bundle.entries.length };
      lines.push(reason("Bundle for %(audience)s, record token %(case)s, %(n)s entries", params));
    }
    if (receipt) {
      lines.push(reason("Receipt for entry %(index)s, sequenced %(time)s", { index: receipt.index, time: receipt.header.time }));
    }
    if (checkpoint) lines.push(reason("Checkpoint of %(origin)s, size %(size)s", checkpoint));
    subject.replaceChildren(...lines.map((line) => made("p", "", made("bdi", "", told(line)))));
    const stands = receipt && outcomes.some(({ name, state }) => name === "proofs" && state === HOLDS);
    const disclosed = stands ? Object.entries(receipt.event).sort(([one], [other]) => (one < other ? -1 : 1)) : [];
    if (disclosed.length) subject.append(made("dl", "facts", ...disclosed.map(([name, value]) => fact(name, valueText(value)))));
  };

  // The entry that breaks and its neighbours, as far as the file lets itself be read: nothing here has been checked.
  const cellsOf = (entry) => {
    const within = (value, ...names) => names.reduce((inner, name) => (isObject(inner) && has(inner, name) ? inner[name] : undefined), value);
    const kind = within(entry, "parts", "public", "value", "kind");
    const known = typeof kind === "string" && has(kinds, kind) ? kinds[kind] : kind;
    const header = (name) => within(entry, "parts", "header", "value", name);
    return [within(entry, "index"), header("seq"), known ?? words.undisclosed, header("time")].map((cell) => (
      typeof cell === "string" || typeof cell === "number" ? plain(cell) : "–"));
  };

  const row = (entry, breaks) => {
    const labels = [words.entry, words.number, words.act, words.time];
    const [index, ...cells] = cellsOf(entry);
    const first = made("th", "", index);
    first.scope = "row";
    first.dataset.label = labels[0];
    if (breaks) first.append(" ", made("span", "badge tone-warn", words.here));
    const rest = cells.map((cell, at) => {
      const box = made("td", "", made("bdi", "", cell));
      box.dataset.label = labels[at + 1];
      return box;
    });
    const line = made("tr", breaks ? "is-broken" : "", first, ...rest);
    if (breaks) line.setAttribute("aria-current", "true");
    return line;
  };

  const showBroken = ({ failure, raw }) => {
    const [, written] = /^entries\[(\d+)\]/.exec(failure ? failure.place : "") || [];
    broken.hidden = written === undefined || !isObject(raw) || !Array.isArray(raw.entries);
    if (broken.hidden) return;
    const at = Number(written);
    const rows = [at - 1, at, at + 1].filter((place) => place in raw.entries).map((place) => row(raw.entries[place], place === at));
    broken.querySelector("tbody").replaceChildren(...rows);
  };

  const say = (tone, mark, ...lines) => {
    verdict.className = `notice verdict tone-${tone}`;
    verdict.querySelector(".check-mark").textContent = mark;
    verdict.querySelector("div").replaceChildren(...lines);
    verdict.hidden = false;
  };

  const showVerdict = (report) => {
    const { failure, key: used } = report;
    if (report.unable) {
      say("warn", MARKS[UNABLE], paragraph(words["no signatures"], "notice-title"));
    } else if (failure) {
      const { title } = checks.find((check) => check.name === failure.name);
      const sentence = told(reason("This file does not hold. The first thing that fails: %(title)s.", { title }));
      say("refusal", MARKS[FAILS], paragraph(sentence, "notice-title"), made("p", "", made("bdi", "", told(failure.reason))));
    } else {
      const doubt = report.outcomes.find((outcome) => outcome.state === NOT_TRUSTED);
      const more = doubt ? [paragraph(told(doubt.reason)), made("p", "", made("code", "verify-key", plain(used.text)))] : [];
      say(doubt ? "warn" : "done", MARKS[doubt ? NOT_TRUSTED : HOLDS], paragraph(told(reason("This file holds.")), "notice-title"), ...more);
    }
  };

  let run = 0;
  const begin = () => {
    run += 1;
    list.replaceChildren();
    subject.replaceChildren();
    broken.hidden = true;
    result.hidden = progress.hidden = false;
    progress.removeAttribute("value");
    form.setAttribute("aria-busy", "true");
    return run;
  };

  const end = () => {
    progress.hidden = true;
    form.removeAttribute("aria-busy");
    root.dataset.done = String(run);
  };

  const check = async (chosen) => {
    const mine = begin();
    let said = null;
    const follow = (report, current, done) => {
      if (mine !== run) return;
      showChecks(report, current);
      showSubject(report);
      if (done) progress.value = done;
      else progress.removeAttribute("value");
      if (current && current !== said) {
        const { title } = checks.find((one) => one.name === current);
        say("info", MARKS.now, paragraph(worded("checking", { title, name: chosen.name })));
        said = current;
      }
    };
    try {
      const report = await heyi.verify(chosen, key.value.trim() || null, follow);
      if (mine !== run) return;
      showBroken(report);
      showVerdict(report);
      heyi.report = report;
    } catch (problem) {
      if (mine !== run) return;
      result.hidden = true;
      say("refusal", MARKS[FAILS], paragraph(words[problem instanceof DOMException ? "unreadable" : "broken off"], "notice-title"), paragraph(plain(problem.message)));
    }
    end();
  };

  const start = () => {
    if (file.files.length) check(file.files[0]);
    else say("info", "!", paragraph(words["no file"]));
  };

  const receive = (event) => {
    event.preventDefault();
    part("drop").classList.remove("is-over");
    if (!event.dataTransfer.files.length) return;
    file.files = event.dataTransfer.files;
    start();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  file.addEventListener("change", () => file.files.length && start());
  key.addEventListener("change", () => file.files.length && start());
  part("drop").addEventListener("dragover", (event) => {
    event.preventDefault();
    part("drop").classList.add("is-over");
  });
  part("drop").addEventListener("dragleave", () => part("drop").classList.remove("is-over"));
  part("drop").addEventListener("drop", receive);

  if (globalThis.crypto && crypto.subtle) {
    part("without").hidden = true;
    form.hidden = false;
  } else {
    say("warn", MARKS[UNABLE], paragraph(words["no cryptography"], "notice-title"));
  }
})((globalThis.heyi ??= {}));
