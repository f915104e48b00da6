"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const key = "skbst-review-" + data.id;
  const names = new Map(data.classes.map((c) => [c.code, c.name]));
  const place = new Map(data.clips.map((c, i) => [c.sound_id, i]));
  let decisions = new Map(), undo = [], shown = [], at = 0, buttons = [];
  const kinds = new Map(data.classes.map((c) => [c.code, c.description]));
  const say = (text) => { $("say").textContent = text; };
  const named = (code) => names.has(code) && names.get(code) !== code ? `${names.get(code)} (${code})` : code;
  const told = (code) => named(code) + (kinds.get(code) ? ": " + kinds.get(code) : "");
  const put = () => {
    try {
      localStorage.setItem(key, JSON.stringify({ who: $("who").value, decisions: [...decisions.values()] }));
    } catch { say("This browser keeps nothing: save the file before you close."); }
  };
  const load = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(key) || "null");
      decisions = new Map();
      if (kept) { $("who").value = kept.who; for (const d of kept.decisions) if (place.has(d.sound_id)) decisions.set(d.sound_id, d); }
    } catch { say("What this browser kept could not be read."); }
  };
  const word = (d) => !d ? "" : d.decision === "change" ? "→ " + d.new_label : d.decision;
  const mark = (i) => { const c = data.clips[shown[i]]; buttons[i].textContent = `${word(decisions.get(c.sound_id)) || "·"}  ${c.title.slice(0, 80) || c.sound_id}`; };
  const current = () => data.clips[shown[at]];
  const showClip = () => {
    const c = current();
    $("clip").hidden = !c;
    if (!c) { say("No clip passes these filters."); return; }
    buttons.forEach((b, i) => i === at ? b.setAttribute("aria-current", "true") : b.removeAttribute("aria-current"));
    buttons[at].scrollIntoView({ block: "nearest" });
    $("title").textContent = c.title || c.sound_id;
    $("about").textContent = [c.tags, c.description, c.uploader && "by " + c.uploader, c.license].filter(Boolean).join(" · ");
    $("given").textContent = "Given: " + told(c.label);
    $("suggestion").textContent = c.suggestion ? `Suggested${c.proba ? ` (${c.proba})` : ""}: ${told(c.suggestion)}` : c.proba;
    $("link").hidden = !c.url;
    if (c.url) $("link").href = c.url; else $("link").removeAttribute("href");
    $("reason").textContent = c.reason;
    $("near").replaceChildren(...c.neighbours.map((n, i) => {
      const row = document.createElement("div"), text = document.createElement("span");
      text.dir = "auto"; text.textContent = `Neighbour ${i + 1}: ${n.title}`; row.append(text);
      if (n.sound) {
        const player = document.createElement("audio");
        player.controls = true; player.preload = "none"; player.src = n.sound; player.setAttribute("aria-label", `Neighbour ${i + 1}`);
        row.append(player);
      }
      return row;
    }));
    $("state").textContent = word(decisions.get(c.sound_id));
    $("accept").disabled = !c.suggestion;
    $("sound").hidden = $("picture").hidden = !c.sound;
    if (c.sound) { $("sound").src = c.sound; $("picture").src = c.picture; } else { $("sound").removeAttribute("src"); $("picture").removeAttribute("src"); }
  };
  const progress = () => { $("done").max = data.clips.length; $("done").value = decisions.size; $("count").textContent = `${decisions.size} of ${data.clips.length} decided`; };
  const filter = () => {
    const [top, label, who, state] = ["top", "label", "uploader", "decided"].map((n) => $("f-" + n).value);
    const reason = $("f-reason").value.trim().toLowerCase();
    shown = data.clips.map((c, i) => i).filter((i) => {
      const c = data.clips[i], done = decisions.has(c.sound_id);
      return (!top || c.top === top) && (!label || c.label === label) && (!reason || c.reason.toLowerCase().includes(reason)) && (!who || c.uploader === who) && (!state || (state === "yes") === done);
    });
    at = 0; buttons = [];
    $("list").replaceChildren(...shown.map((_, i) => {
      const li = document.createElement("li"), b = document.createElement("button");
      b.type = "button"; b.addEventListener("click", () => { at = i; showClip(); });
      buttons.push(b); li.append(b); mark(i); return li;
    }));
    showClip();
  };
  const decide = (clips, decision, label) => {
    undo.push(clips.map((c) => [c.sound_id, decisions.get(c.sound_id)]));
    for (const c of clips) {
      const how = decision === "change" && label === c.label ? "keep" : decision;
      decisions.set(c.sound_id, { sound_id: c.sound_id, label: c.label, decision: how, new_label: how === "change" ? label : "",
        who: $("who").value, when: new Date().toISOString(), why: $("why").value });
    }
    $("why").value = ""; put(); progress(); buttons.forEach((_, i) => mark(i));
    say(`${clips.length === 1 ? "Decided" : clips.length + " clips decided"}: ${label || decision}`); move(1);
  };
  const move = (by) => { at = Math.max(0, Math.min(shown.length - 1, at + by)); showClip(); };
  const back = () => {
    const last = undo.pop();
    if (!last) { say("Nothing to undo."); return; }
    for (const [id, d] of last) if (d) decisions.set(id, d); else decisions.delete(id);
    put(); progress(); buttons.forEach((_, i) => mark(i));
    const i = shown.indexOf(place.get(last[0][0])); if (i >= 0) at = i;
    showClip(); say("Undone.");
  };
  const pack = () => { // what was decided one by one stays
    const c = current();
    return data.clips.filter((d) => d === c || c.uploader && d.uploader === c.uploader && d.label === c.label && !decisions.has(d.sound_id));
  };
  const save = () => {
    const text = JSON.stringify({ page: data.id, decisions: [...decisions.values()] }, null, 1);
    const a = document.createElement("a"); a.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    a.download = "review.json"; a.click(); setTimeout(() => URL.revokeObjectURL(a.href), 1000); say("Saved.");
  };
  const fits = (d) => data.clips[place.get(d?.sound_id)]?.label === d?.label && ["change", "keep", "unsure"].includes(d.decision)
    && ["new_label", "who", "when", "why"].every((name) => typeof d[name] === "string") && (d.decision !== "change" || names.has(d.new_label));
  const open = async (file) => {
    let rows = [];
    try { const content = JSON.parse(await file.text()); rows = Array.isArray(content) ? content : content.decisions; } catch { /* said below */ }
    const good = Array.isArray(rows) ? rows.filter((d) => d && fits(d)) : [];
    if (!good.length) { say("No decision in this file belongs to this page."); return; }
    undo.push(good.map((d) => [d.sound_id, decisions.get(d.sound_id)]));
    for (const d of good) decisions.set(d.sound_id, d);
    put(); progress(); filter(); say(`${good.length} of ${rows.length} decisions taken from the file.`);
  };
  const choose = () => {
    const typed = $("choose").value.trim().toLowerCase();
    const exact = data.classes.filter((c) => c.code.toLowerCase() === typed || c.name.toLowerCase() === typed);
    const near = exact.length ? exact : data.classes.filter((c) => (c.code + " " + c.name).toLowerCase().includes(typed));
    if (!typed || near.length !== 1) { say(near.length > 1 ? "Several classes fit; type more." : "No class fits."); return; }
    $("choose").value = ""; $("choose").blur(); decide([current()], "change", near[0].code);
  };
  const acts = {
    a: () => current().suggestion && decide([current()], "change", current().suggestion), k: () => decide([current()], "keep", ""),
    u: () => decide([current()], "unsure", ""), p: () => current().suggestion && decide(pack(), "change", current().suggestion),
    z: back, s: save, c: () => $("choose").focus(), n: () => move(1), b: () => move(-1),
    " ": () => current().sound ? hear($("sound")) : say("This clip has no sound."),
  };
  const hear = (player) => {
    if (!player) { say("There is no such neighbour to hear."); return; }
    if (!player.paused) { player.pause(); return; }
    document.querySelectorAll("audio").forEach((other) => other.pause());
    player.play().catch(() => say("This sound cannot be played."));
  };
  for (const i of [1, 2, 3]) acts[i] = () => hear($("near").children[i - 1]?.querySelector("audio"));
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.target.id === "choose" && e.key === "Enter") { choose(); return; }
    if (e.key === "Escape") { e.target.blur(); return; }
    if (e.target.matches("input,select") || e.target.matches("audio") && !/^[a-z0-9]$/i.test(e.key) || (e.target.matches("button") && e.key === " ")) return;
    const act = acts[e.key.length === 1 ? e.key.toLowerCase() : { ArrowDown: "n", ArrowUp: "b" }[e.key]];
    if (act && (current() || "zs".includes(e.key))) { e.preventDefault(); act(); }
  });
  for (const [id, k] of Object.entries({ accept: "a", keep: "k", unsure: "u", pack: "p", undo: "z", save: "s", play: " ", back: "b", next: "n" }))
    $(id).addEventListener("click", () => acts[k]());
  $("who").addEventListener("change", put);
  const option = (value, text) => { const o = document.createElement("option"); o.value = value; o.textContent = text; return o; };
  const tops = [...new Set(data.clips.map((c) => c.top))].sort(), labels = [...new Set(data.clips.map((c) => c.label))].sort();
  $("f-top").append(...tops.map((c) => option(c, data.tops[c] || c)));
  $("f-label").append(...labels.map((c) => option(c, named(c))));
  $("f-uploader").append(...[...new Set(data.clips.map((c) => c.uploader).filter(Boolean))].sort().map((u) => option(u, u.slice(0, 60))));
  for (const n of ["top", "label", "uploader", "reason", "decided"]) $("f-" + n).addEventListener("change", filter);
  $("classes").append(...data.classes.map((c) => option(c.code, c.name)));
  $("open").addEventListener("change", (e) => { if (e.target.files[0]) open(e.target.files[0]); e.target.value = ""; });
  // the same page in another tab
  window.addEventListener("storage", (e) => { if (e.key === key) { load(); progress(); buttons.forEach((_, i) => mark(i)); if (current()) showClip(); } });
  load(); progress(); filter();
  // go on where one stopped
  at = Math.max(0, shown.findIndex((i) => !decisions.has(data.clips[i].sound_id))); showClip();
})();
