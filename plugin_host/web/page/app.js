/** The mixer: builds the page from the tree of addresses, and lets it follow the server. */

import { words } from "./dom.js";
import { Link } from "./link.js";
import { Mixer } from "./mixer.js";
import { Details, Figures, ModelChoice, State, makeSwitches } from "./panel.js";

const TREE = "/stemwire";
const TOAST_MS = 6000;
const IN_ROWS = matchMedia("(max-width: 960px), (max-height: 560px)"); // as style.css has it

const place = (id) => document.getElementById(id);
const link = new Link(`${location.protocol.replace("http", "ws")}//${location.host}/`);
const state = new State(place("state"));
const figures = new Figures(place("figures"));
const model = new ModelChoice(place("model"), (name) => link.send(`${TREE}/model`, "s", [name]));
const details = new Details(place("details"));
const switches = makeSwitches(place("switches"), link);

let mixer = null;
let stems = "";
let toastTimer = 0;

/** Finds out which stems there are; begins anew where they are others than before. */
async function build() {
  const answer = await fetch(`${TREE}/stem`, { headers: { Accept: "application/json" } });
  const names = answer.ok ? Object.keys((await answer.json()).CONTENTS) : [];
  if (mixer !== null && stems === String(names)) return;
  stems = String(names);
  link.ignoreAll();
  mixer = new Mixer(link, names);
  place("strips").replaceChildren(...mixer.nodes);
  for (const part of [state, figures, model, details, ...switches]) part.listen(link);
  turn();
}

/** Fits the strips to the screen: faders upright, or lying where it is small. */
function turn() {
  mixer?.turnBy(IN_ROWS.matches ? "horizontal" : "vertical");
}

function toast(sentence) {
  clearTimeout(toastTimer);
  words(place("toast"), sentence);
  toastTimer = setTimeout(() => words(place("toast"), ""), TOAST_MS);
}

/** Has spectra sent only while somebody may look. */
function look() {
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  link.showSpectra(!document.hidden && !isStill);
}

link.addEventListener("open", () => {
  state.link(true);
  build().catch((error) => toast(String(error)));
});
link.addEventListener("lost", () => state.link(false));
link.addEventListener("command", ({ detail }) => {
  if (detail.COMMAND === "PATH_CHANGED") build().catch((error) => toast(String(error)));
});
link.addEventListener("complaint", ({ detail: [sentence] }) => {
  toast(sentence);
  model.settle();
});
link.addEventListener("spectra", ({ detail: [rows, levels] }) => mixer?.showSpectra(rows, levels));
IN_ROWS.addEventListener("change", turn);
document.addEventListener("visibilitychange", look);
look();
