// A page whose server was started anew is loaded again: its address holds what it shows. That the
// server went is seen at the end of the connection by which Gradio keeps a session alive.
{
  const ask = window.fetch;
  const EVERY = 2000; // ms
  const TYPING = 10_000; // ms without a key, after which nobody is in the middle of a word
  let typed = -TYPING;
  addEventListener("input", () => (typed = performance.now()), true);

  const changed = async (root) => {
    const answer = await ask(`${root}/gradio_api/app_id`).catch(() => null);
    if (answer?.status === 401) return true; // it wants its password again
    const told = answer?.ok && (await answer.json().catch(() => null));
    return told ? told.app_id !== window.gradio_config.app_id : null; // null: it is not there yet
  };

  const reload = async (root) => {
    for (;;) {
      // Not all pages at the same moment.
      await new Promise((later) => setTimeout(later, EVERY * (0.5 + Math.random())));
      const other = await changed(root);
      if (other === false) return; // it was the network alone
      if (other && performance.now() - typed > TYPING) return location.reload();
    }
  };

  window.fetch = async (...asked) => {
    const answer = await ask(...asked);
    const [root, session] = String(asked[0]?.url ?? asked[0]).split("/gradio_api/heartbeat/");
    if (!session || !answer.body) return answer;
    const [seen, passed] = answer.body.tee();
    const over = () => reload(root);
    seen.pipeTo(new WritableStream()).then(over, over);
    return new Response(passed, answer);
  };
}
