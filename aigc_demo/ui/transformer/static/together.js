// How many texts the server writes together, asked every two seconds while somebody can see it.
const line = element.querySelector(".hint");

async function ask() {
  if (!element.isConnected) return;
  if (element.offsetParent && !document.hidden) {
    const found = await server.writing_now().catch(() => null);
    const name = found?.writing ? (found.waiting ? "waiting" : "writing") : "nobody";
    const text = found ? filled(word(name), found) : "";
    if (line.textContent !== text) line.textContent = text;
  }
  setTimeout(ask, 2000);
}

ask();
