// What may be asked of Workers AI's Flux, checked before it is asked. Every value is a string there.
// developers.cloudflare.com/workers-ai/models/flux/

export type Inputs = Record<string, string | string[]>;

export class Invalid extends Error {}

const MODEL = "flux-general-en";
const MAX_KEYTERMS = 100;
const MAX_KEYTERM_CHARS = 100;
const MAX_TAG_CHARS = 128;
const SHOWN_CHARS = 64; // of a client's own words in an answer
const EOT_THRESHOLD = 0.7;

/** Read the query of a handshake. Throws Invalid. */
export function readParameters(query: URLSearchParams): Inputs {
  const inputs: Inputs = {};
  for (const name of new Set(query.keys())) {
    const read = READERS[name];
    if (read === undefined) {
      throw new Invalid(`parameter ${shown(name)} is unknown; leave it out`);
    }
    const value = read(name, query.getAll(name));
    if (value !== undefined) {
      inputs[name] = value;
    }
  }
  for (const name of ["encoding", "sample_rate"]) {
    if (inputs[name] === undefined) {
      throw new Invalid(`${name} is missing; encoding and sample_rate are needed`);
    }
  }
  const eager = inputs["eager_eot_threshold"];
  if (eager !== undefined && Number(eager) > Number(inputs["eot_threshold"] ?? EOT_THRESHOLD)) {
    throw new Invalid("eager_eot_threshold must be less than or equal to eot_threshold");
  }
  return inputs;
}

/** Return what cannot be left out: all that some deployments take. */
export function required(inputs: Inputs): Inputs {
  return Object.fromEntries(
    Object.entries(inputs).filter(([name]) => name === "encoding" || name === "sample_rate"),
  );
}

type Reader = (name: string, values: string[]) => string | string[] | undefined;

const READERS: Record<string, Reader> = Object.assign(Object.create(null), {
  model: (_name: string, values: string[]) => {
    for (const value of values) {
      if (value !== MODEL) {
        throw new Invalid(`model ${shown(value)} is not here; Cloudflare hosts ${MODEL} only`);
      }
    }
    return undefined; // there is no choice, and so no parameter
  },
  language_hint: () => {
    throw new Invalid(`language_hint is not supported for model ${MODEL}`);
  },
  encoding: oneOf(["linear16"]),
  sample_rate: oneOf(["8000", "16000", "24000", "44100", "48000"]),
  eager_eot_threshold: number(0.3, 0.9, /^0?\.\d{1,6}$/),
  eot_threshold: number(0.5, 0.9, /^0?\.\d{1,6}$/),
  eot_timeout_ms: number(500, 60000, /^\d{1,5}$/),
  keyterm: keyterms,
  mip_opt_out: oneOf(["true", "false"]),
  tag: (name: string, values: string[]) => {
    const value = single(name, values);
    if (value.length > MAX_TAG_CHARS) {
      throw new Invalid(`tag is too long; send at most ${MAX_TAG_CHARS} characters`);
    }
    return value;
  },
} satisfies Record<string, Reader>);

function oneOf(known: string[]): Reader {
  return (name, values) => {
    const value = single(name, values);
    if (!known.includes(value)) {
      throw new Invalid(`${name} ${shown(value)} is not supported; send ${known.join(", ")}`);
    }
    return value;
  };
}

function number(least: number, most: number, form: RegExp): Reader {
  return (name, values) => {
    const value = single(name, values);
    if (!form.test(value) || Number(value) < least || Number(value) > most) {
      throw new Invalid(`${name} ${shown(value)} is out of range; send ${least} to ${most}`);
    }
    return value;
  };
}

/** One goes as a string, as the schema has it; several as an array, as Cloudflare's own code does. */
function keyterms(name: string, values: string[]): string | string[] {
  if (values.length > MAX_KEYTERMS) {
    throw new Invalid(`Keyterm limit exceeded; send at most ${MAX_KEYTERMS}`);
  }
  for (const value of values) {
    if (value.trim() === "" || value.length > MAX_KEYTERM_CHARS) {
      throw new Invalid(`${name} must have 1 to ${MAX_KEYTERM_CHARS} characters`);
    }
  }
  return values.length === 1 ? (values[0] as string) : values;
}

function single(name: string, values: string[]): string {
  const [value, ...more] = values;
  if (value === undefined || more.length > 0) {
    throw new Invalid(`${name} is given more than once`);
  }
  return value;
}

/** Quote a client's words so that they fit in a header. */
function shown(text: string): string {
  return `'${text.slice(0, SHOWN_CHARS).replace(/[^\x20-\x7e]/g, "?")}'`;
}
