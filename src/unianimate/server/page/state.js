// What the page knows: jobs, queue and system as the server tells of them, and the draft that is being put together.
import * as api from './api.js';
import {setText} from './dom.js';
import {askForToken} from './session.js';

// Steps from one preview to the next, unless somebody says otherwise.
export const kPreviewEvery = 5;

const kListed = 200;
const kMost = 500;
const kDraft = 'unianimate-draft';
const kOver = ['completed', 'failed', 'cancelled'];

// The phase that takes nearly all the time: "sample", or "sample 2/3" where a video is made in segments.
export const isSampling = progress => /^sample( |$)/.test(progress.phase);

// What the phases do, and what is counted in them.
const kPhases = {
  'find reference': ['looking for the person of the picture', ''], 'load pose models': ['loading the pose models', ''],
  'find people': ['looking for people', 'frame'], 'draw poses': ['drawing poses', 'frame'],
  preview: ['making the preview of the poses', 'frame'], 'take poses': ['taking poses', 'frame'], 'read pictures': ['reading pictures', 'picture'],
  'encode reference': ['reading the picture of the person', ''], 'load UNet': ['loading the model', ''],
  sample: ['making the video', 'step'], decode: ['making its frames', 'frame'], 'write video': ['writing the file', 'frame'],
};

// "sample 2/3" -> "making the video (part 2/3)"; `count`: with how far it is.
export function phaseOf({phase, done, total}, count = true) {
  const [, name, segment] = phase.match(/^(.*?)(?: (\d+\/\d+))?$/);
  const [words, unit] = kPhases[name] || [name, ''];
  const text = segment ? `${words} (part ${segment})` : words;
  return count && total > 1 ? `${text}, ${unit} ${done} of ${total}`.replace('  ', ' ') : text;
}

export const isOver = job => kOver.includes(job.state);

// Tells of changes by events: job and over (one, in detail), removed (its id), reset, queue, system, draft,
// errors, back (the server, after it was away).
class State extends EventTarget {
  jobs = new Map();
  #gone = new Set();
  queue = null;
  // Whether all jobs are known: not so while the server tells everything anew.
  isWhole = false;
  system = null;
  older = null;  // the id from which the server has further ones
  // {reference, motion: assets, align: its fields, settings: those that differ from the defaults, format, takes, label}
  draft = {reference: null, motion: null, align: {}, settings: {}, format: '', takes: 1, label: ''};
  // Id of the job whose poses are those of the draft, once they are there.
  poses = null;
  // Whether poses of the draft were tried and there are none.
  posesFailed = false;
  // Refusals of the draft as {pointer, detail}.
  errors = [];

  tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }

  changeDraft(change, from = null) {
    Object.assign(this.draft, change);
    try {
      sessionStorage.setItem(kDraft, JSON.stringify(this.draft));
    } catch {
      // Without storage a reload forgets the draft, and nothing else.
    }
    this.tell('draft', {change, from});
  }

  restoreDraft() {
    try {
      Object.assign(this.draft, JSON.parse(sessionStorage.getItem(kDraft)) || {});
    } catch {
      // As above.
    }
    this.tell('draft', {change: this.draft, from: null});
  }

  setErrors(errors) {
    this.errors = errors;
    this.tell('errors');
  }

  take(job) {
    // The answer to a request may come after the word that its job is gone.
    if (this.#gone.has(job.id)) return;
    const known = this.jobs.get(job.id);
    if (known && known.revision > job.revision) return;
    job.seen = performance.now();
    this.jobs.set(job.id, job);
    if (known && !isOver(known) && isOver(job)) this.tell('over', job);
    this.tell('job', job);
  }

  drop(id) {
    this.#gone.add(id);
    this.jobs.delete(id);
    this.tell('removed', id);
  }

  isGone(id) {
    return this.#gone.has(id);
  }

  // Gives the revision after which the server's events go on.
  async load() {
    // First, so that whatever changes while the others are fetched comes after its revision.
    const list = await api.jobs({limit: kListed});
    // What waits or runs is shown however much was made since.
    const [queue, ...current] = await Promise.all([api.queue(), ...['running', 'queued'].map(allJobs)]);
    this.queue = queue;
    this.older = list.next;
    this.jobs.clear();
    this.tell('reset');
    for (const job of [...list.jobs, ...current.flat()]) this.take(job);
    this.isWhole = true;
    this.tell('queue');
    return list.revision;
  }
}

// Those of one state, of which there may be more than an answer holds.
async function allJobs(word) {
  const jobs = [];
  for (let before = {}; before !== null;) {
    const part = await api.jobs({state: word, limit: kMost, ...before});
    jobs.push(...part.jobs);
    before = part.next && {before: part.next};
  }
  return jobs;
}

export const state = new State();

// Which poses a draft asks for; null where something is missing.
export function posesKeyOf({reference, motion, align}) {
  return reference && motion ? JSON.stringify([reference.id, motion.id, align]) : null;
}

export const labelOf = job => job.label || (job.kind === 'align' ? 'Poses' : 'Video');

// Seconds that a running job still takes, counted on since the server last said so; null where it is not known.
export function secondsLeft(job) {
  const told = job.progress ? job.progress.seconds_left : null;
  if (job.state !== 'running' || told === null || told === undefined) return null;
  return told - (performance.now() - job.seen) / 1000;
}

export function part(job) {
  const progress = job.progress;
  return progress && progress.total > 0 ? progress.done / progress.total : null;
}

// Waits until the job is over, as events tell. One that is removed meanwhile, by whomever, is a Problem.
export function whenOver(id, signal) {
  return new Promise((resolve, reject) => {
    const look = () => {
      const job = state.jobs.get(id);
      if (job && isOver(job)) finish(resolve, job);
      if (state.isGone(id)) finish(reject, new api.Problem({detail: 'The job was removed before it was done.'}));
    };
    // What went before the page was told of it, or while all is told anew, no event tells.
    const ask = () => api.job(id).then(job => state.take(job), error => {
      if (error.status === 404) state.drop(id);
    });
    const aborted = () => finish(reject, new DOMException('superseded', 'AbortError'));
    const heard = [['job', look], ['removed', look], ['reset', ask]];
    const finish = (settle, value) => {
      for (const [name, listener] of heard) state.removeEventListener(name, listener);
      signal.removeEventListener('abort', aborted);
      settle(value);
    };
    for (const [name, listener] of heard) state.addEventListener(name, listener);
    signal.addEventListener('abort', aborted);
    look();
    ask();
  });
}

export const isAbort = error => error instanceof DOMException && error.name === 'AbortError';

// Whatever a person asked for and was refused is said where all see it.
export function say(text) {
  setText(document.getElementById('message'), text);
}

export async function attempt(action) {
  say('');
  try {
    return await withToken(action);
  } catch (error) {
    if (!(error instanceof api.Problem)) throw error;
    say(error.message);
    return null;
  }
}

// Once more, when the token was asked for, where the session is over.
export async function withToken(action) {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof api.Problem) || error.status !== 401) throw error;
    await askForToken();
    return withToken(action);
  }
}
