// Two WebSockets, joined: what one says the other hears, in order, until either closes.

const MAX_MESSAGE_BYTES = 1 << 20; // 33 s of 16 kHz linear16; Flux recommends 2560 bytes
const MAX_WAITING_BYTES = 4 << 20; // for a side that does not read

/** Join them. Both have to be accepted already. */
export function join(client: WebSocket, flux: WebSocket): void {
  client.binaryType = "arraybuffer"; // a Blob would arrive as the words "[object Blob]"
  flux.binaryType = "arraybuffer";
  const hangUp = (code: number, reason: string) => {
    close(client, code, reason);
    close(flux, code, reason);
  };
  pass(client, flux, hangUp);
  pass(flux, client, hangUp);
}

function pass(from: WebSocket, to: WebSocket, hangUp: (code: number, reason: string) => void) {
  from.addEventListener("message", ({ data }) => {
    const message = data as string | ArrayBuffer;
    const size = typeof message === "string" ? message.length : message.byteLength;
    if (size > MAX_MESSAGE_BYTES) {
      hangUp(1009, "a message holds at most 1 MiB");
    } else if ((to.bufferedAmount ?? 0) > MAX_WAITING_BYTES) {
      hangUp(1011, "the other side does not read");
    } else if (to.readyState === WebSocket.OPEN) {
      to.send(message);
    }
  });
  from.addEventListener("close", ({ code, reason }) => {
    close(to, code, reason);
    close(from, code, reason); // where the runtime does not answer a close by itself
  });
  from.addEventListener("error", () => hangUp(1011, "the other side was lost"));
}

/** Close with this code; without any where there was none, as Flux does in the end. */
function close(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState >= WebSocket.CLOSING) {
    return;
  }
  if (code === 1005) {
    socket.close();
  } else if (code === 1006 || code === 1015) {
    socket.close(1011, "the other side was lost");
  } else {
    socket.close(code, reason.slice(0, 100)); // 123 bytes at most
  }
}
