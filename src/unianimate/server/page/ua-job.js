// One job that waits, runs, or ended without a result: what it does, how long that takes, and what can be done about it.
import * as api from './api.js';
import {button, duration, isSure, make, newId, sentence, setText} from './dom.js';
import {removeVideo} from './removal.js';
import {attempt, isOver, kPreviewEvery, labelOf, part, phaseOf, posesKeyOf, secondsLeft, state} from './state.js';

const kWords = {
  queued: '◷ Waiting', running: '▶ Running', failed: '✕ Failed', cancelled: '■ Cancelled', completed: '✓ Done',
};

// What is wrong with the request or its files is so in the next attempt as well.
const kForGood = ['invalid-request', 'input', 'inputs-changed'];

class UaJob extends HTMLElement {
  #job = null;
  #shown = '';

  connectedCallback() {
    if (this.title_) return;
    const id = newId();
    this.setAttribute('role', 'group');
    this.setAttribute('aria-labelledby', id);
    this.title_ = make('h3', {id});
    this.state_ = make('p', {className: 'state'});
    this.phase = make('p', {className: 'unseen', 'aria-live': 'polite'});
    this.bar = make('progress', {max: 1, hidden: true, 'aria-labelledby': id});
    this.problem = make('p', {className: 'error'});
    this.preview = make('video', {className: 'live', muted: true, loop: true, playsInline: true, hidden: true,
                                  controls: true, 'aria-label': 'What the video is going to be'});
    // The file may not be there yet, or be written at this very moment; the next one comes.
    this.preview.addEventListener('error', () => { this.preview.hidden = true; });
    this.preview.addEventListener('loadeddata', () => { this.preview.hidden = false; });
    const act = (text, action, name) => {
      const made = button(text, () => attempt(() => action(this.#job)), {className: name});
      made.dataset.action = name;
      return made;
    };
    this.buttons = {
      up: act('▲', () => this.dispatchEvent(new CustomEvent('move', {bubbles: true, detail: -1})), 'up'),
      down: act('▼', () => this.dispatchEvent(new CustomEvent('move', {bubbles: true, detail: 1})), 'down'),
      cancel: act('Cancel', async job => state.take(await api.cancelJob(job.id)), 'cancel'),
      resume: act('Resume', async job => state.take(await api.resumeJob(job.id, false)), 'resume'),
      fresh: act('From the start', async job => {
        if (!await isSure(`Begin “${labelOf(job)}” anew, without what was saved of it?`, 'From the start')) return;
        state.take(await api.resumeJob(job.id, true));
      }, 'fresh'),
      seed: act('New seed', job => againWithNewSeed(job), 'seed'),
      again: act('Use settings', job => useSettings(job), 'again'),
      remove: act('Delete', job => removeVideo(job), 'remove'),
    };
    this.append(make('div', {className: 'what'}, this.title_, this.state_, this.phase, this.bar, this.problem), this.preview,
                make('div', {className: 'buttons'}, ...Object.values(this.buttons)));
  }

  get job() { return this.#job; }

  // `place`: what stands before it, as {index, count, startsIn: seconds or null}.
  show(job, place) {
    this.#job = job;
    const label = labelOf(job);
    setText(this.title_, label);
    this.#showButtons(job, place);
    for (const [name, each] of Object.entries(this.buttons)) {
      const moves = {up: `Move ${label} up`, down: `Move ${label} down`};
      each.setAttribute('aria-label', moves[name] || `${each.textContent}: ${label}`);
    }
    setText(this.state_, this.#sentence(job, place));
    setText(this.phase, job.state === 'running' && job.progress ? `${label}: ${phaseOf(job.progress, false)}` : '');
    setText(this.problem, job.problem && isOver(job) && job.problem.detail ? sentence(job.problem.detail) : '');
    this.#showBar(job);
    this.#showPreview(job);
    this.dataset.state = job.state;
  }

  #sentence(job, place) {
    if (job.state === 'queued') {
      const order = `${kWords.queued}, ${place.index + 1} of ${place.count}`;
      return place.startsIn === null ? order : `${order}, starts in about ${duration(place.startsIn)}`;
    }
    if (job.state !== 'running') return kWords[job.state];
    if (job.cancel_requested) return '▶ Running; it stops before its next step';
    const progress = job.progress;
    if (!progress) return `${kWords.running}: it begins`;
    const steps = phaseOf(progress);
    const left = secondsLeft(job);
    if (left === null) return `${kWords.running}: ${steps}`;
    return `${kWords.running}: ${steps}, ${left < 1 ? 'any moment now' : `about ${duration(left)} of this left`}`;
  }

  #showBar(job) {
    this.bar.hidden = job.state !== 'running';
    const done = part(job);
    if (done === null) this.bar.removeAttribute('value');
    else this.bar.value = done;
  }

  #showButtons(job, place) {
    const ended = job.state === 'failed' || job.state === 'cancelled';
    const helps = ended && !(job.problem && kForGood.includes(job.problem.type));
    // Of what nobody took there is nothing to go on from.
    const begun = job.attempt > 0;
    setText(this.buttons.resume, begun ? 'Resume' : 'Queue again');
    const queued = job.state === 'queued';
    const animates = job.kind === 'animate';
    const shown = {
      up: queued && place.index > 0, down: queued && place.index < place.count - 1,
      cancel: (queued || job.state === 'running') && !job.cancel_requested, resume: helps, fresh: helps && begun,
      seed: helps && animates, again: animates, remove: ended,
    };
    const focused = Object.values(this.buttons).find(each => each === document.activeElement);
    for (const [name, each] of Object.entries(this.buttons)) each.hidden = !shown[name];
    if (!focused || !focused.hidden) return;
    // Who works by keyboard goes on at the same job.
    const next = Object.values(this.buttons).find(each => !each.hidden);
    if (next) next.focus();
  }

  #showPreview(job) {
    if (job.state !== 'running') {
      if (!this.preview.hidden) this.preview.pause();
      this.preview.hidden = true;
      this.#shown = '';
      return;
    }
    const previews = (job.progress && job.progress.previews) || 0;
    if (previews === 0) return;
    const version = `${job.attempt}-${previews}`;
    if (version === this.#shown) return;
    this.#shown = version;
    this.preview.src = api.preview(job.id, version);
    if (!matchMedia('(prefers-reduced-motion: reduce)').matches) this.preview.play().catch(() => {});
  }
}

customElements.define('ua-job', UaJob);

const kSeeds = 2 ** 31;

// The same video again with other random numbers.
export async function againWithNewSeed(job) {
  const [drawn] = crypto.getRandomValues(new Uint32Array(1));
  const seed = drawn % kSeeds;
  const {motion, align, ...rest} = job.request;
  // Nobody need be looked for again while the poses are there.
  const poses = state.jobs.has(job.poses_job) ? {poses: job.poses_job} : motion ? {motion, align: align || {}} : {};
  const body = {...rest, ...poses, kind: 'animate', settings: {...job.request.settings, seed}};
  body.label = `${labelOf(job).replace(/, seed \d+$/, '').slice(0, 180)}, seed ${seed}`;
  state.take(await api.createJob(body));
}

// Puts what a job was made from into the draft.
export async function useSettings(job) {
  const {reference, motion, poses, align, settings, format} = job.request;
  const [picture, film] = await Promise.all([api.asset(reference), api.asset(motion || poses)]);
  const known = asset => ({id: asset.id, name: asset.name || asset.id, type: asset.type, bytes: asset.bytes});
  const draft = {
    reference: known(picture), motion: known(film), align: align || {}, settings: {...settings}, format: format || '',
    label: job.label || '', takes: 1,
  };
  // Jobs of the command line may say what has no place here.
  const offered = state.system.settings.properties;
  for (const name of Object.keys(draft.settings)) {
    if (!offered[name]) delete draft.settings[name];
  }
  if (draft.settings.preview_every === kPreviewEvery) delete draft.settings.preview_every;
  if (job.poses_job) Object.assign(draft, {posesJob: job.poses_job, posesKey: posesKeyOf(draft)});
  state.changeDraft(draft);
  document.getElementById('create').focus();
}
