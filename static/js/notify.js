// Telling people who have gone elsewhere that their pictures are finished. Asked for by a button, never by itself.
import { showTemplate } from "./toast.js";

const OFFER = "atelier:notify-offered";
const OFFER_AFTER_MS = 4000; // who waits this long may want to leave
const LONG_AGO = 0;
let offering = LONG_AGO;

const wordsOf = (id) => document.getElementById(id).content.querySelector("p").textContent;

function offer() {
  if (!("Notification" in window) || Notification.permission !== "default" || localStorage.getItem(OFFER)) return;
  localStorage.setItem(OFFER, "1");
  showTemplate("toast-notify");
}

document.addEventListener("click", async (event) => {
  if (!event.target.closest?.("[data-notify]")) return;
  event.target.closest("[data-toast]").remove();
  await Notification.requestPermission();
});

document.addEventListener("atelier:job.progress", () => { offering ||= setTimeout(offer, OFFER_AFTER_MS); });
for (const end of ["done", "failed", "cancelled"]) {
  document.addEventListener(`atelier:job.${end}`, () => {
    clearTimeout(offering);
    offering = LONG_AGO;
  });
}

document.addEventListener("atelier:job.done", ({ detail }) => {
  const card = document.getElementById(`job-${detail.job}`);
  if (document.hidden && "Notification" in window && Notification.permission === "granted") {
    const body = card?.querySelector(".job-prompt").textContent;
    const notification = new Notification(wordsOf("toast-finished"), { body, tag: detail.job });
    notification.onclick = () => { window.focus(); notification.close(); };
  }
  if (!document.getElementById("jobs")) showTemplate("toast-finished");
});
