"use strict";
// what was decided: kept in the browser, undone, merged with the files of others
const data = JSON.parse(document.getElementById("data").textContent);
const key = "skbst-review-" + data.id;
const place = new Map(data.clips.map((clip, i) => [clip.sound_id, i]));
const classes = new Map(data.classes.map((c) => [c.code, c]));
const state = { who: "", decisions: new Map(), conflicts: new Map(), undo: [], kept: true, saved: true };

const keep = () => {
  const content = { who: state.who, decisions: [...state.decisions.values()], conflicts: [...state.conflicts], undo: state.undo.slice(-200) };
  try {
    localStorage.setItem(key, JSON.stringify(content));
    state.kept = true;
  } catch { state.kept = false; }
  return state.kept;
};

const recall = () => {
  const kept = JSON.parse(localStorage.getItem(key) || "null") || { who: "", decisions: [] };
  const known = (pairs) => (pairs || []).filter(([id]) => place.has(id));
  state.who = kept.who;
  state.decisions = new Map(known(kept.decisions.map((d) => [d.sound_id, d])));
  state.conflicts = new Map(known(kept.conflicts));
  state.undo = kept.undo || [];
};

// what stood there before goes onto the list of what can be undone
const remember = (ids) => {
  state.undo.push(ids.map((id) => [id, state.decisions.get(id) || null, state.conflicts.get(id) || null]));
  state.saved = false;
};

const settle = (clips, decision, label, why) => {
  remember(clips.map((c) => c.sound_id));
  for (const c of clips) {
    const how = decision === "change" && label === c.label ? "keep" : decision;
    state.decisions.set(c.sound_id, { sound_id: c.sound_id, label: c.label, decision: how, new_label: how === "change" ? label : "",
      who: state.who, when: new Date().toISOString(), why });
    state.conflicts.delete(c.sound_id);
  }
};

const takeBack = () => {
  const last = state.undo.pop() || [];
  const put = (map, id, value) => value ? map.set(id, value) : map.delete(id);
  for (const [id, decision, conflict] of last) { put(state.decisions, id, decision); put(state.conflicts, id, conflict); }
  state.saved = false;
  return last.map(([id]) => id);
};

const packOf = (clip) => data.clips.filter((c) => c === clip // what was decided one by one stays
  || clip.uploader && c.uploader === clip.uploader && c.label === clip.label && !state.decisions.has(c.sound_id));

const isDecision = (d) => data.clips[place.get(d?.sound_id)]?.label === d?.label && ["change", "keep", "unsure"].includes(d.decision)
  && ["new_label", "who", "when", "why"].every((name) => typeof d[name] === "string") && (d.decision !== "change" || classes.has(d.new_label));
const same = (a, b) => a.decision === b.decision && a.new_label === b.new_label;

// decisions that differ from one's own stand beside them until somebody decides; of one person the later counts
const merge = (rows, name) => {
  const good = rows.filter(isDecision);
  remember([...new Set(good.map((d) => d.sound_id))]);
  let taken = 0;
  for (const d of good) {
    const own = state.decisions.get(d.sound_id);
    if (!own || own.who === d.who && d.who && d.when > own.when) { state.decisions.set(d.sound_id, d); taken++; } else if (same(own, d)) {
      taken++;
    } else if (own.who !== d.who || !d.who) {
      const others = state.conflicts.get(d.sound_id) || [];
      const other = { ...d, who: d.who || name };
      if (!others.some((o) => same(o, other) && o.who === other.who)) state.conflicts.set(d.sound_id, [...others, other]);
    }
  }
  return { good: good.length, taken };
};

const fileText = () => JSON.stringify({ page: data.id, decisions: [...state.decisions.values(), ...[...state.conflicts.values()].flat()] }, null, 1);

// the weighted share of right predictions and its interval, as skbst.curation.review_precision has them
const precisionOf = (strata) => {
  const z = 1.959963984540054, known = strata.filter((s) => s.reviewed), sum = (list) => list.reduce((a, b) => a + b, 0);
  if (!known.length) return null;
  const total = sum(known.map((s) => s.size)), rows = known.map((s) => ({ w: s.size / total, p: s.right / s.reviewed, n: s.reviewed, right: s.right, open: (s.size - s.reviewed) / s.size }));
  const p = sum(rows.map((r) => r.w * r.p)), doubt = rows.map((r) => r.w ** 2 * r.open / r.n);
  if (rows.every((r) => !r.open)) return { p, low: p, high: p };
  const wilson = (q, n) => {
    const middle = (q + z * z / 2 / n) / (1 + z * z / n), half = z / (1 + z * z / n) * Math.sqrt(q * (1 - q) / n + z * z / 4 / n ** 2);
    return [middle - half, middle + half];
  };
  const variance = sum(rows.map((r, i) => { const q = (r.right + 2 * p) / (r.n + 2); return doubt[i] * q * (1 - q); }));
  const [low, high] = wilson(p, variance > 1e-15 ? p * (1 - p) / variance : 1 / sum(doubt));
  const each = rows.map((r) => wilson(r.p, r.open ? r.n / r.open : 1e12));
  const off = (side) => Math.sqrt(sum(rows.map((r, i) => (r.w * (r.p - each[i][side])) ** 2)));
  return { p, low: Math.max(0, Math.min(low, p - off(0))), high: Math.min(1, Math.max(high, p + off(1))) };
};

const strataNow = () => {
  const counted = data.strata.map((s) => ({ ...s, right: 0, reviewed: 0, label: "" }));
  for (const c of data.clips) {
    const stratum = counted[c.stratum], d = state.decisions.get(c.sound_id);
    if (!stratum) continue;
    stratum.label = c.label;
    if (d && d.decision !== "unsure") { stratum.reviewed++; stratum.right += d.decision === "keep"; }
  }
  return counted.filter((s) => s.label);
};
