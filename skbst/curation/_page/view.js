// what is shown: texts of strangers only ever become text
const $ = (id) => document.getElementById(id);
const view = { shown: [], at: 0, buttons: new Map(), pack: false, active: "" };
const current = () => data.clips[view.shown[view.at]];
const say = (text) => { $("say").textContent = text; };
const percent = (p) => p === null || p === undefined ? "" : `${(100 * p).toFixed(p > 0.995 && p < 1 ? 1 : 0)} %`;
const make = (tag, text, kind) => { const e = document.createElement(tag); if (text) e.textContent = text; if (kind) e.className = kind; return e; };
const named = (code) => classes.has(code) && classes.get(code).name !== code ? `${classes.get(code).name} (${code})` : code;
const told = (code, p) => [named(code), percent(p), classes.get(code)?.description].filter(Boolean).join(" · ");
const word = (d) => !d ? "" : d.decision === "change" ? `→ ${d.new_label}` : d.decision === "keep" ? "✓ keep" : "? unsure";
const LETTERS = ["a", "d", "f"];

const mark = (i) => {
  const clip = data.clips[i], button = view.buttons.get(i);
  if (!button) return;
  const sign = state.conflicts.has(clip.sound_id) ? "⚠ conflict" : word(state.decisions.get(clip.sound_id)) || "·";
  button.textContent = `${sign}  ${clip.title.slice(0, 80) || clip.sound_id.slice(0, 80)}`;
};

const showProgress = () => {
  $("done").max = data.clips.length; $("done").value = state.decisions.size;
  $("count").textContent = `${state.decisions.size} of ${data.clips.length} decided${state.conflicts.size ? `, ${state.conflicts.size} in conflict` : ""}`;
  if (!data.strata.length) return;
  const strata = strataNow(), found = precisionOf(strata), tell = (f) => f ? `${percent(f.low)} to ${percent(f.high)}` : "";
  $("precision").hidden = false;
  const covered = (part) => part.reduce((a, s) => a + (s.reviewed ? s.size : 0), 0) / part.reduce((a, s) => a + s.size, 0);
  $("precision-all").textContent = found
    ? `Right so far: ${percent(found.p)} of the predictions (95 % interval ${tell(found)}), for the ${percent(covered(strata))} of them whose class and band somebody has heard.`
    : "Nothing is reviewed yet, so that nothing is known of the precision.";
  $("precision-rows").replaceChildren(...[...new Set(strata.map((s) => s.label))].sort().map((label) => {
    const part = strata.filter((s) => s.label === label), p = precisionOf(part), row = make("tr");
    const head = make("th", named(label)); head.scope = "row";
    const count = (name) => part.reduce((a, s) => a + s[name], 0);
    row.append(head, ...[p ? percent(p.p) : "–", tell(p) || "–", count("reviewed"), percent(covered(part)), count("size")].map((text) => make("td", String(text))));
    return row;
  }));
};

const showNeighbours = (clip) => $("near").replaceChildren(...clip.neighbours.map((n, i) => {
  const box = make("div"), text = make("span", "", "title");
  text.dir = "auto";
  text.append(make("kbd", String(i + 1)), ` ${n.title}${n.label ? ` · ${named(n.label)}` : ""}${n.note ? ` · ${n.note}` : ""}`);
  box.append(text);
  if (n.picture) { const picture = make("img"); picture.alt = `Waveform and spectrogram of neighbour ${i + 1}`; picture.loading = "lazy"; picture.src = n.picture; box.append(picture); }
  if (n.sound) { const player = make("audio"); player.controls = true; player.preload = "none"; player.src = n.sound; player.setAttribute("aria-label", `Neighbour ${i + 1}`); box.append(player); }
  return box;
}));

const showAbout = (clip) => {
  const rows = [["Tags", clip.tags], ["Description", clip.description], ["Uploader", clip.uploader], ["Licence", clip.license], ["Id", clip.sound_id]];
  $("about").replaceChildren(...rows.flatMap(([name, text]) => {
    const value = make("dd", text.slice(0, 6000) || "not given"); value.dir = "auto";
    return [make("dt", name), value];
  }));
  if (!clip.url) return;
  const link = make("a", clip.url.slice(0, 300)), value = make("dd");
  link.href = clip.url; link.target = "_blank"; link.rel = "noopener noreferrer"; value.append(link);
  $("about").append(make("dt", "Source"), value);
};

const showSuggestions = (clip) => $("suggestions").replaceChildren(...clip.suggestions.slice(0, 3).map((s, i) => {
  const row = make("div"), button = make("button", `${s.code} `);
  button.type = "button"; button.setAttribute("aria-label", `Accept ${named(s.code)}`); button.append(make("kbd", LETTERS[i]));
  button.addEventListener("click", () => decide("change", s.code));
  row.append(button, make("span", told(s.code, s.proba)));
  return row;
}));

const showDispute = (clip) => $("disputed").replaceChildren(...(state.conflicts.get(clip.sound_id) || []).map((d) =>
  make("div", `⚠ Conflict: ${d.who || "somebody"} decided ${d.decision === "change" ? named(d.new_label) : d.decision}${d.why ? ` (${d.why.slice(0, 500)})` : ""}. Decide anew to settle it.`)));

const vouched = (clip) => {
  const node = data.tops[clip.node] ? `${data.tops[clip.node]} (${clip.node})` : clip.node === "?" ? "none is sure enough" : named(clip.node);
  return [clip.set.length && `Set that is vouched for: ${clip.set.map(named).join(", ")}`, clip.node && `Deepest sure node: ${node}`].filter(Boolean).join(" · ");
};

const showState = (clip) => {
  const d = state.decisions.get(clip.sound_id);
  $("state").textContent = d ? `Decided: ${d.decision === "change" ? `→ ${named(d.new_label)}` : word(d)}${d.who ? `, by ${d.who}` : ""}${d.why ? ` (${d.why.slice(0, 500)})` : ""}` : "Not decided yet";
  $("state").className = d ? "decided" : "";
  showDispute(clip);
  const others = packOf(clip).length;
  $("pack").disabled = others < 2;
  if (others < 2) view.pack = false;
  $("pack").setAttribute("aria-pressed", String(view.pack));
  $("pack").replaceChildren(others > 1 ? `Whole pack (${others}) ` : "Whole pack ", make("kbd", "p"));
};

const showClip = () => {
  const clip = current();
  $("clip").hidden = $("bar").hidden = !clip; $("none").hidden = Boolean(clip);
  document.querySelectorAll("#list [aria-current]").forEach((b) => b.removeAttribute("aria-current"));
  if (!clip) return;
  const button = view.buttons.get(view.shown[view.at]);
  button.setAttribute("aria-current", "true"); button.scrollIntoView({ block: "nearest" });
  $("title").textContent = clip.title || clip.sound_id;
  $("given").textContent = `Given: ${told(clip.label, clip.proba)}`;
  $("vouched").textContent = vouched(clip);
  $("reason").textContent = clip.reason;
  $("problem").textContent = [clip.problem && `Sound: ${clip.problem}`, !clip.sound && "There is no sound to hear."].filter(Boolean).join(" · ");
  showSuggestions(clip); showNeighbours(clip); showAbout(clip); showState(clip);
  $("accept").disabled = !clip.suggestions.length;
  $("accept").replaceChildren(clip.suggestions.length ? `Accept ${clip.suggestions[0].code.slice(0, 20)} ` : "Accept ", make("kbd", "a"));
  $("play").disabled = !clip.sound; $("heard").hidden = !clip.sound;
  for (const [id, file] of [["sound", clip.sound], ["picture", clip.picture]]) if (file) $(id).src = file; else $(id).removeAttribute("src");
};

const passes = (clip) => {
  const [top, label, uploader, reason, words, how] = ["top", "label", "uploader", "reason", "words", "decided"].map((n) => $("f-" + n).value);
  const d = state.decisions.get(clip.sound_id), holds = (text, part) => text.toLowerCase().includes(part.trim().toLowerCase());
  const decided = !how || (how === "yes" ? Boolean(d) : how === "no" ? !d : how === "conflict" ? state.conflicts.has(clip.sound_id) : d?.decision === how);
  return (!top || clip.top === top) && (!label || clip.label === label) && (!uploader || clip.uploader === uploader)
    && holds(clip.reason, reason) && holds(`${clip.title} ${clip.tags}`, words) && decided;
};

const filter = () => {
  view.shown = [...data.clips.keys()].filter((i) => passes(data.clips[i]));
  view.at = 0; view.buttons = new Map();
  $("filtered").textContent = view.shown.length === data.clips.length ? "" : `(${view.shown.length} of ${data.clips.length} clips shown)`;
  $("list").replaceChildren(...view.shown.map((i, at) => {
    const item = make("li"), button = make("button");
    button.type = "button"; button.dir = "auto"; button.addEventListener("click", () => { view.at = at; showClip(); });
    view.buttons.set(i, button); item.append(button); mark(i);
    return item;
  }));
  showClip();
};
