// The Edit page: which way is chosen, what is sent, the picture as it emerges, and what became of it. Events are hints;
// the result that the server renders is the truth.
import "../compare.js";
import { latestOf } from "../live.js";
import { Canvas } from "./canvas.js";
import { Extend } from "./extend.js";
import { Garment } from "./garment.js";
import { Scene } from "./scene.js";
import { View } from "./view.js";

const CHECK_MS = 5000;
const room = document.getElementById("edit");
const form = document.getElementById("edit-form");
const part = (name) => room.querySelector(`[data-${name}]`);
const picture = { width: Number(room.dataset.width), height: Number(room.dataset.height) };
const table = part("table");
const frame = part("frame");
const says = part("says");
const results = part("results");
const stage = part("result-stage");

let running; // { job, result, cancel } while something is at work

const view = new View(table, frame, (percent) => { part("zoom").textContent = `${percent} %`; });
view.table.classList.toggle("is-moving", false);

if (form) start();

function start() {
  const canvas = new Canvas(part("mask"), picture, { view, ring: part("ring"), changed: showMask });
  const extend = new Extend(form, frame, picture, showSize);
  const scene = new Scene(form, frame, picture);
  const garment = new Garment(form);

  const say = (text) => { says.textContent = text; };
  const way = () => form.elements.way.value;
  const isPainted = () => ["inpaint", "garment"].includes(way());

  // --- What the form shows of itself ---

  function showWay() {
    room.dataset.way = way();
    for (const one of form.querySelectorAll("[data-for]")) {
      one.hidden = !one.dataset.for.split(" ").includes(way());
    }
    // What is not shown is not sent, nor does it stand in the way of sending.
    for (const field of form.querySelectorAll("input, textarea, select")) field.disabled = field.name !== "checkpoint" && field.closest("[data-for][hidden]") !== null;
    scene.hide();
    if (way() === "outpaint") extend.show();
    else extend.hide();
    if (way() === "scene") scene.show();
    if (way() === "garment") garment.show();
    leaveResult();
    showOutputs();
  }

  function showOutputs() {
    for (const output of form.querySelectorAll("[data-of]")) {
      const value = Number(form.elements[output.dataset.of].value);
      output.textContent = output.dataset.unit === "%" ? `${Math.round(value * 100)} %` : `${value} ${output.dataset.unit}`;
    }
    part("brush-size").textContent = `${Math.round(canvas.size)} px`;
  }

  function showMask() {
    part("part-painted").textContent = canvas.isEmpty ? "" : form.dataset.part.replace("{n}", Math.max(1, Math.round(canvas.mask.part * 100)));
    form.querySelector("[data-do=undo]").disabled = !canvas.history.canUndo;
    form.querySelector("[data-do=redo]").disabled = !canvas.history.canRedo;
  }

  function showSize() {
    const { width, height } = extend.size;
    part("new-size").textContent = form.dataset.size.replace("{w}", width).replace("{h}", height);
  }

  function showErrors(texts, licence = "") {
    const box = part("errors");
    part("licence").innerHTML = licence; // what asks to accept one says all that the error does
    htmx.process(part("licence"));
    if (licence) texts = [];
    box.hidden = texts.length === 0;
    box.querySelector("p").textContent = texts.join(" ");
    if (texts.length) box.scrollIntoView({ block: "nearest" });
  }

  function choose(erases) {
    canvas.erases = erases;
    for (const [name, isOn] of [["brush", !erases], ["eraser", erases]]) form.querySelector(`[data-do=${name}]`).ariaPressed = String(isOn);
  }

  function sized() {
    form.querySelector("[data-brush]").value = Math.round((100 * canvas.size) / (canvas.longer / 2));
    showOutputs();
  }

  async function paintBackground(button) {
    const image = new Image();
    image.src = button.dataset.image;
    await image.decode();
    canvas.history.add({ kind: "clearOf", image });
  }

  function paintRectangle(erases) {
    const [x, y, w, h] = ["x", "y", "w", "h"].map((name) => Number(form.querySelector(`[data-box=${name}]`).value) / 100);
    const box = [x * picture.width, y * picture.height, w * picture.width, h * picture.height];
    canvas.history.add({ kind: "rectangle", box, erases });
  }

  // --- Sending, following, showing what came of it ---

  function work(isOn) {
    room.dataset.state = isOn ? "working" : "ready";
    form.querySelector("[data-make]").disabled = isOn;
    form.querySelector("[data-do=cancel]").hidden = !isOn;
    part("bar").hidden = !isOn;
    part("bar").firstElementChild.style.inlineSize = "0";
    if (!isOn) part("live-preview").hidden = true;
  }

  async function send() {
    showErrors([]);
    if (isPainted() && canvas.isEmpty) return showErrors([form.dataset.maskMissing]);
    const body = new FormData(form);
    if (isPainted()) body.set("mask", await canvas.mask.png(), "mask.png");
    leaveResult();
    results.replaceChildren();
    work(true);
    say(form.dataset.waiting);
    try {
      const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
      if (response.redirected) return location.reload();
      const answer = response.status === 201 || response.status === 422 ? await response.json() : { errors: { all: [form.dataset.lost] } };
      if (answer.errors) {
        work(false);
        say("");
        return showErrors(Object.values(answer.errors).flat(), answer.licence);
      }
      running = answer;
    } catch {
      work(false);
      say("");
      return showErrors([form.dataset.lost]);
    }
    const missed = latestOf(running.job);
    if (missed) follow(missed);
    check();
  }

  function follow(event) {
    if (event.job !== running?.job) return;
    if (event.step) {
      say(form.dataset.step.replace("{step}", event.step).replace("{steps}", event.steps));
      part("bar").firstElementChild.style.inlineSize = `${(100 * event.step) / event.steps}%`;
    }
    const url = event.previews?.find((preview) => preview.index === 0)?.url;
    if (url) showPreview(url);
    if (/job\.(done|failed|cancelled)/.test(event.type)) finish();
  }

  async function showPreview(url) {
    const next = new Image();
    next.src = url;
    await next.decode().catch(() => {});
    if (room.dataset.state !== "working") return;
    part("live-preview").src = url;
    part("live-preview").hidden = false;
  }

  async function check() {
    clearTimeout(running?.timer);
    if (!running) return;
    running.timer = setTimeout(finish, CHECK_MS);
  }

  async function finish() {
    const { job, result } = running ?? {};
    if (!job) return;
    const response = await fetch(result).catch(() => null);
    if (running?.job !== job) return;
    if (!response || response.status === 204 || !response.ok) return check();
    clearTimeout(running.timer);
    running = undefined;
    results.innerHTML = await response.text();
    work(false);
    say("");
    if (results.querySelector("[data-made]")) {
      showResult(0);
      say(form.dataset.done);
    }
  }

  function showResult(number) {
    const template = results.querySelector(`template[data-result="${number}"]`);
    stage.replaceChildren(template.content.cloneNode(true));
    view.fit();
    stage.hidden = false;
    frame.hidden = true;
    for (const one of results.querySelectorAll("[data-choose]")) one.ariaPressed = String(one.dataset.choose === String(number));
    for (const one of results.querySelectorAll("[data-verdict]")) one.hidden = one.dataset.verdict !== String(number);
    stage.querySelector("input").focus({ preventScroll: true });
  }

  function leaveResult() {
    stage.hidden = true;
    frame.hidden = false;
  }

  async function discard(asked) {
    await fetch(asked.action, { method: "POST", body: new FormData(asked) }).catch(() => null);
    results.replaceChildren();
    leaveResult();
    say("");
    form.querySelector("[data-make]").focus();
  }

  // --- What people do ---

  const verbs = {
    nearer: () => view.nearer(),
    farther: () => view.farther(),
    fit: () => view.fit(),
    hand(button) {
      view.isMoving = !view.isMoving;
      button.ariaPressed = String(view.isMoving);
      table.classList.toggle("is-moving", view.isMoving);
    },
    brush: () => choose(false),
    eraser: () => choose(true),
    undo: () => canvas.history.undo(),
    redo: () => canvas.history.redo(),
    invert: () => canvas.history.add({ kind: "invert" }),
    clear: () => canvas.history.add({ kind: "clear" }),
    background: paintBackground,
    rectangle: () => paintRectangle(false),
    "rectangle-away": () => paintRectangle(true),
    "cutout-first"() {
      form.querySelector("[name=way][value=cutout]").click();
      form.requestSubmit();
    },
    cancel: () => running && fetch(running.cancel, { method: "POST", body: new FormData(form) }),
    again: () => form.requestSubmit(),
    back() {
      leaveResult();
      part("mask").focus({ preventScroll: true });
    },
  };

  room.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do], [data-choose]");
    if (!button) return;
    if (button.dataset.choose) showResult(button.dataset.choose);
    else verbs[button.dataset.do]?.(button);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  results.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-discard]")) return;
    event.preventDefault();
    discard(event.target);
  });
  form.addEventListener("input", (event) => {
    if (event.target.name === "way") showWay();
    if (event.target.matches("[data-brush]")) canvas.size = (Number(event.target.value) / 100) * (canvas.longer / 2);
    showOutputs();
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "way") form.elements.count.value = way() === "vary" ? 4 : 1;
  });

  const keys = { "+": "nearer", "=": "nearer", "-": "farther", 0: "fit", b: "brush", e: "eraser", i: "invert" };
  table.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("[type=range]")) return;
    if (event.key === "[" || event.key === "]") {
      canvas[event.key === "[" ? "smaller" : "larger"]();
      sized();
    } else if (keys[event.key.toLowerCase()]) verbs[keys[event.key.toLowerCase()]]();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey)) return;
    if (event.key === "Enter" && room.dataset.state === "ready") form.requestSubmit();
    else if (event.key.toLowerCase() === "z" && isPainted() && !event.target.matches("input, textarea")) verbs[event.shiftKey ? "redo" : "undo"]();
    else return;
    event.preventDefault();
  });

  for (const kind of ["snapshot", "progress", "done", "failed", "cancelled"]) {
    document.addEventListener(`atelier:job.${kind}`, ({ detail }) => follow(detail));
  }

  showWay();
  // On a phone the ways lie in one line: the one that the address chose is to be seen.
  const ways = form.querySelector(".edit-ways");
  const label = ways.querySelector(":checked").parentElement;
  ways.scrollLeft = label.offsetLeft - (ways.clientWidth - label.offsetWidth) / 2;
  sized();
  showMask();
}
