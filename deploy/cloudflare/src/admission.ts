// Who is let in: whoever knows the secret. A browser, which cannot set headers, says it as a
// subprotocol, and its page has to be of an allowed origin besides.

/** How a client that is let in has to be answered. */
export interface Admission {
  /** The subprotocol to choose: the first word of what was offered, never the secret. */
  subprotocol?: string;
}

const SCHEMES = new Set(["bearer", "token"]);

/** Return how to answer, or undefined if the secret is missing or wrong. */
export async function admit(request: Request, secret: string): Promise<Admission | undefined> {
  const [scheme = "", shown = ""] = (request.headers.get("Authorization") ?? "").split(" ");
  if (SCHEMES.has(scheme.toLowerCase()) && (await same(shown, secret))) {
    return {};
  }
  const offered = (request.headers.get("Sec-WebSocket-Protocol") ?? "").split(",");
  const [word = "", said = ""] = offered.map((one) => one.trim());
  if (SCHEMES.has(word.toLowerCase()) && (await same(said, secret))) {
    return { subprotocol: word };
  }
  return undefined;
}

/** Whether a page of this origin may connect. What sends no Origin is not a page. */
export function mayConnect(request: Request, allowed: string): boolean {
  const origin = request.headers.get("Origin");
  return origin === null || allowed.split(" ").includes(origin);
}

/** Compare in a time that tells nothing of either, their lengths included. */
async function same(shown: string, secret: string): Promise<boolean> {
  const encoder = new TextEncoder();
  const [one, other] = await Promise.all(
    [shown, secret].map((text) => crypto.subtle.digest("SHA-256", encoder.encode(text))),
  );
  return crypto.subtle.timingSafeEqual(one as ArrayBuffer, other as ArrayBuffer);
}
