// The Import page: files chosen, dropped or pasted go up in pieces by the API, and go on after a reload or a lost network.
import { forgetFiles, keepFile, keptFiles } from "./kept-files.js";

const form = document.querySelector("[data-import]");
const list = form?.querySelector("[data-list]");
const part = (name) => form.querySelector(`[data-${name}]`);
const API = "/api/v1/uploads";
const AT_ONCE = 3;
const HASHED_UP_TO = 64 * 1024 * 1024; // bytes that are hashed in one go; of larger files each piece is counted only
const IMAGE = /\.(png|apng|jpe?g|jpe|jfif|gif|webp|avif|tiff?|bmp|zip|svg|heic|psd|pdf|dcm|dicom)$/i;

let upload = form?.dataset.upload || "";
let working = false;
const chosen = new Map(); // row -> File, before the import has begun
const sources = new Map(); // id of a file on the server -> File
const rows = new Map(); // id of a file on the server -> row

// --- Talking to the server ------------------------------------------------------------------------------------------

class Refusal extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

async function call(method, path, body, wait = 1000) {
  const headers = { "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"] };
  const isBytes = body instanceof Blob;
  if (body && !isBytes) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`${API}${path}`, { method, headers, body: isBytes || !body ? body : JSON.stringify(body) });
    if (response.status >= 500) throw new Error(response.statusText);
  } catch {
    say("lost");
    await new Promise((done) => setTimeout(done, wait));
    return call(method, path, body, Math.min(wait * 2, 15000));
  }
  const answer = await response.json();
  if (!response.ok) throw new Refusal(answer);
  return answer;
}

// --- What is shown --------------------------------------------------------------------------------------------------

function addRow(name, size) {
  const row = form.querySelector("[data-row]").content.cloneNode(true).firstElementChild;
  row.querySelector(".brought-name").textContent = name;
  const remove = row.querySelector("[data-remove]");
  remove.setAttribute("aria-label", remove.getAttribute("aria-label").replace("{name}", name));
  remove.addEventListener("click", () => {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    chosen.delete(row);
    row.remove();
    (next?.querySelector("[data-remove]") ?? part("files")).focus();
    status();
  });
  row.dataset.size = size;
  list.append(row);
  show(row, { state: "chosen" });
  return row;
}

function show(row, file) {
  const isOpened = file.state === "done" && !file.media && !file.is_duplicate; // a zip: its files have rows of their own
  const word = isOpened ? "opened" : file.state === "done" && file.is_duplicate ? "known" : file.state;
  row.dataset.state = word;
  const state = row.querySelector(".brought-state");
  state.textContent = state.dataset[word];
  if (file.state === "receiving" && file.size) state.textContent += ` ${Math.floor((file.received / file.size) * 100)} %`;
  row.querySelector("[data-remove]").hidden = word !== "chosen";
  row.querySelector(".brought-notes").textContent = [file.reason, ...(file.notes ?? [])].filter(Boolean).join(" ");
  const name = row.querySelector(".brought-name");
  if (file.media && !name.querySelector("a")) {
    const link = document.createElement("a");
    link.href = `/gallery/${file.media}/`;
    link.textContent = name.textContent;
    name.replaceChildren(link);
  }
}

function preview(row, file) {
  if (!file.type.startsWith("image/") || file.type.includes("svg") || file.size > 30e6) return;
  const image = new Image();
  image.src = URL.createObjectURL(file);
  image.alt = "";
  image.loading = "lazy";
  image.onerror = () => image.remove();
  row.querySelector(".brought-picture").replaceChildren(image);
}

function say(words, facts = {}) {
  const line = part("status");
  line.textContent = Object.entries(facts).reduce((text, [key, value]) => text.replace(`{${key}}`, value), line.dataset[words] ?? "");
}

const human = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

function status() {
  const states = [...list.children].map((row) => row.dataset.state);
  const count = (state) => states.filter((one) => one === state).length;
  const ended = count("done") + count("known") + count("failed") + count("opened");
  const start = part("start");
  const bar = part("progress");
  start.hidden = Boolean(upload) && !chosen.size;
  start.disabled = !chosen.size || working;
  const words = start.querySelector("span").dataset;
  start.querySelector("span").textContent = [words.none, words.one][chosen.size] ?? words.many.replace("{n}", chosen.size);
  bar.hidden = !upload || ended === states.length;
  bar.max = states.length;
  bar.value = ended;
  const isUndone = Boolean(form.dataset.undone);
  part("undo").hidden = !upload || isUndone || !states.length;
  part("show").hidden = !upload || isUndone || !count("done");
  if (isUndone) return say("");
  if (!upload) return say(chosen.size ? "chosen" : "", { n: chosen.size, size: human([...chosen.values()].reduce((sum, file) => sum + file.size, 0)) });
  if (ended === states.length) return say("finished", { taken: count("done"), known: count("known"), failed: count("failed") });
  const orphaned = [...rows].filter(([id, row]) => row.dataset.state === "receiving" && !sources.has(id)).length;
  if (orphaned && !working) return say("waiting", { n: orphaned });
  return say("running", { done: ended, n: states.length });
}

function complain(error) {
  part("problem").hidden = false;
  part("problem").textContent = error.message;
}

// --- Choosing -------------------------------------------------------------------------------------------------------

function choose(files) {
  part("problem").hidden = true;
  for (const file of files) {
    const name = file.webkitRelativePath || file.path || file.name;
    const waiting = [...rows].find(([id, row]) => row.dataset.state === "receiving" && !sources.has(id) && row.dataset.name === name && Number(row.dataset.size) === file.size);
    if (waiting) { // the same file once more, after a reload: it goes on
      sources.set(waiting[0], file);
      work();
    } else if (!form.dataset.undone && !name.split("/").pop().startsWith(".")) {
      const row = addRow(name, file.size);
      chosen.set(row, file);
      preview(row, file);
    }
  }
  status();
}

// All files in what was dropped, folders opened; a folder's files that cannot be pictures are left out.
async function dropped(transfer) {
  const found = [];
  async function walk(entry, path) {
    if (entry.isFile) {
      const file = await new Promise((done, fail) => entry.file(done, fail));
      file.path = path + file.name;
      if (!path || IMAGE.test(file.name)) found.push(file);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (!some.length) break;
      for (const one of some) await walk(one, `${path}${entry.name}/`);
    }
  }
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  for (const entry of entries) await walk(entry, "");
  return found;
}

// --- Sending --------------------------------------------------------------------------------------------------------

async function begin() {
  const said = Object.fromEntries(new FormData(form));
  const made = await call("POST", "", { ...said, keeps_duplicates: "keeps_duplicates" in said, team: form.dataset.team });
  upload = made.id;
  history.replaceState(null, "", `${form.dataset.page}${upload}/`);
  part("said")?.remove();
}

async function announce(row, file) {
  const name = file.webkitRelativePath || file.path || file.name;
  chosen.delete(row);
  try {
    const made = await call("POST", `/${upload}/files`, { name, size: file.size });
    rows.set(made.id, row);
    sources.set(made.id, file);
    row.dataset.name = made.name;
    show(row, made);
    await keepFile(upload, made.id, file);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    show(row, { state: "failed", reason: error.message });
  }
}

async function send(id, file) {
  const row = rows.get(id);
  let told = await call("POST", `/${upload}/files`, { name: row.dataset.name, size: file.size });
  while (told.state === "receiving" && told.received < file.size) {
    const piece = file.slice(told.received, told.received + Number(form.dataset.piece));
    try {
      told = await call("PUT", `/${upload}/files/${id}?offset=${told.received}`, piece);
    } catch (error) {
      if (!(error instanceof Refusal) || error.problem.received === undefined) throw error;
      told.received = error.problem.received; // an answer was lost: the server knows better
    }
    show(row, told);
    status();
  }
  const sha256 = await hash(file);
  show(row, await call("POST", `/${upload}/files/${id}/finish`, { sha256 }));
}

async function hash(file) {
  if (!globalThis.crypto?.subtle || file.size > HASHED_UP_TO) return "";
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function work() {
  if (working) return;
  working = true;
  try {
    const todo = () => [...sources].find(([id]) => rows.get(id)?.dataset.state === "receiving" && !busy.has(id));
    const busy = new Set();
    const lane = async () => {
      for (let next = todo(); next; next = todo()) {
        busy.add(next[0]);
        try {
          await send(...next);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          show(rows.get(next[0]), { state: "failed", reason: error.message });
        }
        status();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  } catch (error) {
    complain(error);
  }
  working = false;
  status();
}

async function start() {
  try {
    if (!upload) await begin();
    working = true;
    status();
    for (const [row, file] of [...chosen]) await announce(row, file);
  } catch (error) {
    complain(error);
  }
  working = false;
  await work();
}

// --- What the worker says -------------------------------------------------------------------------------------------

let asking;
async function refresh() {
  clearTimeout(asking);
  asking = setTimeout(async () => {
    const told = await call("GET", `/${upload}`);
    for (const file of told.files) {
      if (!rows.has(file.id)) {
        const row = addRow(file.name, file.size);
        row.dataset.name = file.name;
        rows.set(file.id, row);
      }
      const row = rows.get(file.id);
      if (file.state !== "receiving" || row.dataset.state === "chosen") show(row, file);
    }
    status();
    const open = told.files.some((file) => ["queued", "running"].includes(file.state));
    if (open) asking = setTimeout(refresh, 5000); // events are hints: one may be lost
    else if (told.files.every((file) => file.state !== "receiving")) forgetFiles(upload);
  }, 250);
}

document.addEventListener("atelier:upload.changed", ({ detail }) => detail.upload === upload && refresh());
document.addEventListener("atelier:connected", () => upload && refresh());

async function undo() {
  part("undo").disabled = true;
  await call("POST", `/${upload}/undo`);
  form.dataset.undone = "1";
  part("taken-back").hidden = false;
  forgetFiles(upload);
  refresh();
}

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  for (const input of form.querySelectorAll("[data-files]")) {
    input.addEventListener("change", () => {
      choose([...input.files].filter((file) => !file.webkitRelativePath || IMAGE.test(file.name)));
      input.value = "";
    });
  }
  const drop = part("drop");
  document.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    drop.classList.add("is-over");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || drop.classList.remove("is-over"));
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    choose(await dropped(event.dataTransfer));
  });
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length) choose(files);
  });
  part("undo").addEventListener("click", undo);
  if (upload) {
    for (const [id, file] of await keptFiles(upload)) sources.set(id, file);
    await refresh();
    setTimeout(work, 600);
  }
  status();
}
