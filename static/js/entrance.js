// The entrance pages have messages, and nothing else that moves.
import "./toast.js";
