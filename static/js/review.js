// The reviewer's queue by keys: a approves, c asks for changes, r rejects, the arrows walk.
import "./talk.js";

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [popover]:popover-open, .pin")) return;
  const verdict = { a: "approved", c: "changes", r: "rejected" }[event.key.toLowerCase()];
  if (verdict) {
    const form = document.querySelector("[data-decide]");
    if (!form) return;
    event.preventDefault();
    const note = form.querySelector("textarea");
    if (verdict !== "approved" && !note.value.trim()) note.focus(); // changes need words, and a rejection deserves some
    else form.requestSubmit(form.querySelector(`[value="${verdict}"]`));
    return;
  }
  const isRtl = document.dir === "rtl";
  const way = { ArrowLeft: isRtl ? "next" : "previous", ArrowRight: isRtl ? "previous" : "next" }[event.key];
  if (way) document.querySelector(`[data-walk="${way}"]`)?.click();
});
