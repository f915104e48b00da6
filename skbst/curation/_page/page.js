// what a person does: keys, buttons, files, the tree of classes, the look
const keepAndShow = (ids) => {
  if (!keep()) say("This browser keeps nothing: save the file before you close.");
  ids.forEach((id) => mark(place.get(id)));
  showProgress();
};

const decide = (decision, label) => {
  const clip = current(), clips = view.pack ? packOf(clip) : [clip];
  settle(clips, decision, label, $("why").value);
  $("why").value = ""; view.pack = false;
  say(`${clips.length === 1 ? "Decided" : `${clips.length} clips decided`}: ${label ? named(label) : decision}`);
  keepAndShow(clips.map((c) => c.sound_id)); move(1);
};
const move = (by) => { view.at = Math.max(0, Math.min(view.shown.length - 1, view.at + by)); view.pack = false; showClip(); };
const undo = () => {
  const ids = takeBack().filter((id) => place.has(id));
  if (!ids.length) { say("Nothing to undo."); return; }
  const at = view.shown.indexOf(place.get(ids[0]));
  if (at >= 0) view.at = at;
  say(ids.length === 1 ? "Undone." : `Undone for ${ids.length} clips.`); keepAndShow(ids); showClip();
};
const save = () => {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([fileText()], { type: "application/json" }));
  link.download = `review${state.who ? `-${state.who.replace(/[^\w-]+/g, "_").slice(0, 60)}` : ""}.json`;
  link.click(); setTimeout(() => URL.revokeObjectURL(link.href), 60000); // a busy browser takes its time
  state.saved = true; say(`Saved: ${state.decisions.size} decisions.`);
};
const open = async (files) => {
  const told = [];
  for (const file of files) {
    let rows = [];
    try { const content = JSON.parse(await file.text()); rows = Array.isArray(content) ? content : content.decisions; } catch { /* said below */ }
    rows = Array.isArray(rows) ? rows : [];
    const before = state.conflicts.size, { good, taken } = rows.some(isDecision) ? merge(rows, file.name) : { good: 0, taken: 0 };
    const differ = state.conflicts.size - before;
    told.push(good ? `${taken} of ${rows.length} decisions taken from the file.${differ > 0 ? ` ${differ} differ and are in conflict.` : ""}` : "No decision in this file belongs to this page.");
  }
  keepAndShow([]); filter(); say(told.join(" "));
};
const hear = (player) => {
  if (!player) { say("There is no such sound to hear."); return; }
  if (!player.paused) { player.pause(); return; }
  document.querySelectorAll("audio").forEach((other) => other.pause());
  player.play().catch(() => say("This sound cannot be played."));
};
const seek = (by) => { const player = [...document.querySelectorAll("audio")].find((p) => !p.paused) || $("sound"); player.currentTime = Math.max(0, player.currentTime + by); };

// the tree: leaves that hold what was typed, or whose top level does
const leaves = () => [...document.querySelectorAll("#tree li[data-code]")].filter((li) => !li.hidden);
const point = (code) => {
  view.active = code;
  for (const li of document.querySelectorAll("#tree li[data-code]")) li.setAttribute("aria-selected", String(li.dataset.code === code));
  const li = leaves().find((each) => each.dataset.code === code);
  if (li) { $("choose").setAttribute("aria-activedescendant", li.id); li.scrollIntoView({ block: "nearest" }); } else $("choose").removeAttribute("aria-activedescendant");
};
const search = () => {
  const typed = $("choose").value.trim().toLowerCase(), holds = (text) => text.toLowerCase().includes(typed);
  for (const group of $("tree").children) {
    const whole = holds(group.dataset.top);
    for (const li of group.querySelectorAll("li")) li.hidden = !whole && !holds(li.dataset.words);
    group.hidden = [...group.querySelectorAll("li")].every((li) => li.hidden);
  }
  const found = leaves(), exact = found.find((li) => li.dataset.words.toLowerCase().split("\n").includes(typed));
  $("fits").textContent = found.length ? `${found.length} classes` : "No class fits.";
  point((exact || found[0])?.dataset.code || "");
};
// the focus leaves a closed box only when the page is drawn again, when the next key may have come
const shut = (box) => { box.close(); if (box.contains(document.activeElement)) document.activeElement.blur(); };
const choose = () => { $("choose").value = ""; $("chooser").showModal(); search(); $("choose").focus(); };
const take = (code) => { if (!code) return; shut($("chooser")); decide("change", code); };
const inTree = (e) => {
  const found = leaves(), at = found.findIndex((li) => li.dataset.code === view.active);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[e.key];
  if (e.key === "Enter") { e.preventDefault(); take(view.active); } else if (to !== undefined && found.length) { e.preventDefault(); point(found[(to + found.length) % found.length].dataset.code); }
};
const growTree = () => {
  let number = 0;
  $("tree").append(...[...new Set(data.classes.map((c) => c.top))].map((top) => {
    const group = make("li", data.tops[top] || top), list = make("ul");
    group.setAttribute("role", "treeitem"); group.setAttribute("aria-expanded", "true"); group.dataset.top = `${top}\n${data.tops[top] || ""}`; list.setAttribute("role", "group");
    list.append(...data.classes.filter((c) => c.top === top).map((c) => {
      const li = make("li", named(c.code));
      li.id = `class-${number++}`; li.setAttribute("role", "treeitem"); li.dataset.code = c.code; li.dataset.words = `${c.code}\n${c.name}`;
      if (c.description) li.append(" ", make("small", c.description));
      li.addEventListener("click", () => take(c.code));
      return li;
    }));
    group.append(list);
    return group;
  }));
};

const LOOKS = ["system", "dark", "light"];
const look = (name) => {
  if (name === "system") delete document.documentElement.dataset.look; else document.documentElement.dataset.look = name;
  $("look").textContent = `Look: ${name}`;
  try { localStorage.setItem("skbst-review-look", name); } catch { /* only this time, then */ }
};
const nextLook = () => look(LOOKS[(LOOKS.indexOf($("look").textContent.slice(6)) + 1) % LOOKS.length]);
const focusFilter = () => { $("filters").open = true; $("f-reason").focus(); };
const togglePack = () => {
  if ($("pack").disabled) { say("No other undecided clip of this uploader has this label."); return; }
  view.pack = !view.pack; showState(current());
  say(view.pack ? `The next decision counts for ${packOf(current()).length} clips of this uploader with this label.` : "The next decision counts for this clip.");
};
const accept = (i) => { const s = current().suggestions[i]; if (s) decide("change", s.code); else say("There is no such suggestion."); };

// key: what it does, in words, and whether it needs a clip
const ACTS = {
  " ": ["play or stop", () => hear(current().sound ? $("sound") : null), true], 1: ["play the first neighbour; 2 and 3 the others", () => hear($("near").children[0]?.querySelector("audio")), true],
  2: ["", () => hear($("near").children[1]?.querySelector("audio")), true], 3: ["", () => hear($("near").children[2]?.querySelector("audio")), true],
  ArrowRight: ["a second on; left arrow a second back", () => seek(1), true], ArrowLeft: ["", () => seek(-1), true],
  a: ["accept the first suggestion; d and f the second and third", () => accept(0), true], d: ["", () => accept(1), true], f: ["", () => accept(2), true],
  k: ["keep the given label", () => decide("keep", ""), true], u: ["unsure", () => decide("unsure", ""), true],
  c: ["choose another class from the tree", choose, true], p: ["let the next decision count for the whole pack: this uploader, this label, not decided yet", togglePack, true],
  w: ["say why (Enter or Esc leaves the field)", () => $("why").focus(), true], z: ["undo", undo], n: ["next; also arrow down", () => move(1), true], b: ["back; also arrow up", () => move(-1), true],
  "/": ["filter by words of the reason (Esc leaves the field)", focusFilter], s: ["save the file", save], l: ["look: system, dark or light", nextLook], h: ["this list", () => $("keys").showModal()],
};
const FIELDS = "input:not([type=file]),select";
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const box = ["chooser", "keys"].map($).find((each) => each.open);
  if (box) { // the browser closes it too, but later, when the next key has come
    if (e.key === "Escape") { e.preventDefault(); shut(box); } else if (e.target.id === "choose") inTree(e);
    return;
  }
  if (e.key === "Escape" || e.key === "Enter" && e.target.matches("input:not([type=file])")) { e.target.blur(); return; }
  if (e.target.matches(FIELDS) || e.target.matches("button,summary,a,[type=file]") && [" ", "Enter"].includes(e.key)) return;
  // the browser's own keys of a player that has the focus
  if (e.target.matches("audio") && e.key.length > 1 || e.target.matches("audio") && e.key === " ") return;
  const act = ACTS[e.key.length === 1 ? e.key.toLowerCase() : { ArrowDown: "n", ArrowUp: "b" }[e.key] || e.key];
  if (act && (!act[2] || current())) { e.preventDefault(); act[1](); }
});
// after a click of the mouse the keys belong to the page again: space plays and does not press the button once more
let pointed = false;
document.addEventListener("pointerdown", () => { pointed = true; }, true);
document.addEventListener("keydown", () => { pointed = false; }, true);
for (const kind of ["click", "change"]) document.addEventListener(kind, (e) => {
  const own = e.target.closest(kind === "click" ? "button" : "select");
  if (pointed && own && own === document.activeElement) own.blur();
});
const BUTTONS = { accept: "a", keep: "k", unsure: "u", other: "c", pack: "p", undo: "z", save: "s", play: " ", back: "b", next: "n", look: "l", help: "h" };
for (const [id, name] of Object.entries(BUTTONS)) $(id).addEventListener("click", () => ACTS[name][1]());
$("keys-list").append(...Object.entries(ACTS).filter(([, act]) => act[0]).flatMap(([name, act]) => [make("dt", { " ": "space", ArrowRight: "→" }[name] || name), make("dd", act[0])]));
for (const [id, box] of [["leave", "chooser"], ["keys-leave", "keys"]]) $(id).addEventListener("click", () => shut($(box)));
$("choose").addEventListener("input", search);
$("who").addEventListener("change", () => { state.who = $("who").value; keep(); });
$("open").addEventListener("change", async (e) => { await open([...e.target.files]); e.target.value = ""; });

const option = (value, text) => { const o = make("option", text); o.value = value; return o; };
const each = (name) => [...new Set(data.clips.map((c) => c[name]).filter(Boolean))].sort();
$("f-top").append(...each("top").map((c) => option(c, data.tops[c] || c)));
$("f-label").append(...each("label").map((c) => option(c, named(c))));
$("f-uploader").append(...each("uploader").map((u) => option(u, u.slice(0, 60))));
for (const name of ["top", "label", "uploader", "reason", "words", "decided"]) $("f-" + name).addEventListener(name === "reason" || name === "words" ? "input" : "change", filter);
$("clear").addEventListener("click", () => { for (const name of ["top", "label", "uploader", "reason", "words", "decided"]) $("f-" + name).value = ""; filter(); });
window.addEventListener("beforeunload", (e) => { if (!state.kept && !state.saved) e.preventDefault(); });
const refresh = () => {
  try { recall(); } catch { say("What this browser kept could not be read."); }
  $("who").value = state.who;
};
// the same page in another tab
window.addEventListener("storage", (e) => { if (e.key === key) { refresh(); showProgress(); view.shown.forEach(mark); if (current()) showState(current()); } });

try { const kept = localStorage.getItem("skbst-review-look"); look(LOOKS.includes(kept) ? kept : "system"); } catch { look("system"); }
growTree(); refresh(); showProgress(); filter();
// go on where one stopped
view.at = Math.max(0, view.shown.findIndex((i) => !state.decisions.has(data.clips[i].sound_id))); showClip();
