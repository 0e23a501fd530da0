// The service's REST interface: requests, uploads, events and refusals.

const kBase = '/api/v1';

// What the server said when it refused: the fields of its problem document (RFC 9457).
export class Problem extends Error {
  constructor(document) {
    super(document.detail || document.title || 'The server refused.');
    this.type = document.type || '';
    this.status = document.status || 0;
    this.errors = document.errors || [];
  }
}

// What a proxy answers for a server that is away, and the server for a database that is.
const kAway = [0, 502, 503, 504];

export const isAway = problem => kAway.includes(problem.status);

function problemOf(status, text) {
  try {
    const document = JSON.parse(text);
    if (document && typeof document === 'object' && !Array.isArray(document)) {
      return new Problem({status, ...document});
    }
  } catch {
    // Not of this server: a proxy's page, or nothing.
  }
  return isAway({status}) ? unreachable(status) : new Problem({status, detail: `The server answered with status ${status}.`});
}

function unreachable(status = 0) {
  return new Problem({status, detail: 'The server cannot be reached; try again in a moment.'});
}

async function request(method, path, body, headers = {}) {
  const options = {method, headers: {...headers}, credentials: 'same-origin'};
  if (body !== undefined) {
    options.headers['Content-Type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  let response;
  let text;
  try {
    response = await fetch(path, options);
    text = await response.text();
  } catch {
    throw unreachable();
  }
  if (!response.ok) throw problemOf(response.status, text);
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    throw problemOf(response.status, text);
  }
}

export const openSession = token => request('POST', `${kBase}/session`, {token});
export const system = () => request('GET', `${kBase}/system`);
export const queue = () => request('GET', `${kBase}/queue`);
export const pauseQueue = paused => request('PATCH', `${kBase}/queue`, {paused});

export function jobs(query) {
  return request('GET', `${kBase}/jobs?${new URLSearchParams(query)}`);
}

// With a key of its own, so that a request that is sent twice makes one job.
export function createJob(body) {
  return request('POST', `${kBase}/jobs`, body, {'Idempotency-Key': randomKey()});
}

export const job = id => request('GET', `${kBase}/jobs/${id}`);
export const changeJob = (id, change) => request('PATCH', `${kBase}/jobs/${id}`, change);
export const cancelJob = id => request('POST', `${kBase}/jobs/${id}/cancel`);
export const resumeJob = (id, fresh) => request('POST', `${kBase}/jobs/${id}/resume`, {fresh});
export const removeJob = id => request('DELETE', `${kBase}/jobs/${id}`);
export const asset = id => request('GET', `${kBase}/assets/${id}`);

export const assetContent = id => `${kBase}/assets/${id}/content`;
export const video = id => `${kBase}/jobs/${id}/video`;
// `version`: what changes with the file, so that a browser asks again.
export const preview = (id, version) => `${kBase}/jobs/${id}/preview?${new URLSearchParams({version})}`;
export const poses = (id, name) => `${kBase}/jobs/${id}/poses/${name}`;

function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}

// Sends a file; onProgress is told of the part that is sent, 0 … 1. Gives {done, abort}: done becomes the asset, or
// null when it was aborted.
export function upload(file, name, onProgress) {
  const sender = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    sender.upload.addEventListener('progress', event => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    sender.addEventListener('load', () => {
      if (sender.status < 200 || sender.status >= 300) return reject(problemOf(sender.status, sender.responseText));
      return resolve(JSON.parse(sender.responseText));
    });
    sender.addEventListener('error', () => reject(unreachable()));
    sender.addEventListener('abort', () => resolve(null));
    sender.open('POST', `${kBase}/assets?${new URLSearchParams({name})}`);
    sender.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    sender.send(file);
  });
  return {done, abort: () => sender.abort()};
}

// All changes after a revision until it is closed; the browser comes back by itself. `told` is called with the revision
// up to which all was told.
export function events(since, handlers) {
  const source = new EventSource(`${kBase}/events?since=${since}`);
  for (const name of ['job', 'removed', 'queue', 'reset']) {
    source.addEventListener(name, event => {
      handlers[name](event.data ? JSON.parse(event.data) : null);
      if (event.lastEventId) handlers.told(Number(event.lastEventId));
    });
  }
  source.addEventListener('open', () => handlers.connection(true));
  source.addEventListener('error', () => handlers.connection(false, source.readyState === EventSource.CLOSED));
  return source;
}
