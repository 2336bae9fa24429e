// What stands in for Workers AI: the same face, and behind it a Flux server of this machine.

export default function (env) {
  return {
    async run(model, inputs, options) {
      if (model !== "@cf/deepgram/flux" || options.websocket !== true) {
        throw new Error("5007: No such model");
      }
      const wish = String(inputs.tag ?? "");
      if (wish.startsWith("fail:")) {
        throw new Error(wish.slice("fail:".length));
      }
      if (inputs.eot_timeout_ms === "666") {
        return {}; // an answer without a WebSocket
      }
      const query = new URLSearchParams(env.model === "" ? {} : { model: env.model });
      for (const [name, value] of Object.entries(inputs)) {
        for (const one of [value].flat()) {
          query.append(name, one);
        }
      }
      const headers = { Upgrade: "websocket" };
      return env.flux.fetch(`http://flux/v2/listen?${query}`, { headers });
    },
  };
}
