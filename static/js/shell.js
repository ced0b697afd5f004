// What every signed-in page needs.
import "./menu.js";
import "./toast.js";
