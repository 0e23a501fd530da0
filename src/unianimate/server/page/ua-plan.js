// What the draft would take and show, told a moment after each change; and the button that makes it.
import * as api from './api.js';
import {button, bytes, duration, make, sentence, setText} from './dom.js';
import {isAbort, kPreviewEvery, state, whenOver, withToken} from './state.js';
import './ua-frame.js';

const kLongestLabel = 200;
const kSettleMilliseconds = 500;
// A plan with such a problem is one of a video that nobody could make.
const kRefusals = ['invalid-request', 'input'];

// The poses that were looked at, or where they are not there yet, what they are taken from.
function bodyOf(kind, settings) {
  const {reference, motion, align, format} = state.draft;
  const poses = state.poses ? {poses: state.poses} : {motion: motion.id, align};
  const body = {kind, reference: reference.id, ...poses, settings: {preview_every: kPreviewEvery, ...settings}};
  return format ? {...body, format} : body;
}

// The first of the draft's seeds.
function firstSeed() {
  const {seed} = state.draft.settings;
  return seed === undefined ? state.system.settings.properties.seed.default : seed;
}

class UaPlan extends HTMLElement {
  #timer = null;
  #plan = null;
  #refused = false;
  #unreached = false;

  connectedCallback() {
    this.hint = make('p', {className: 'estimate', role: 'status'});
    this.frame = document.createElement('ua-frame');
    this.notes = make('ul', {className: 'notes'});
    this.problem = make('p', {className: 'error', role: 'alert'});
    this.made = make('a', {href: '#queue', hidden: true});
    this.button = button('Animate', () => this.#animate(), {className: 'main', disabled: true});
    this.again = button('Try again', () => this.#tryAgain(), {hidden: true});
    this.append(make('div', {className: 'plan'}, this.frame,
                     make('div', {}, this.hint, this.notes, this.problem,
                          make('div', {className: 'buttons'}, this.button, this.again),
                          make('p', {role: 'status'}, this.made))));
    for (const name of ['poses', 'draft', 'system']) state.addEventListener(name, () => this.#changed());
    state.addEventListener('queue', () => this.#showHint());
    state.addEventListener('back', () => {
      if (!this.#unreached) return;
      this.#giveUp();
      this.#changed();
    });
    this.#changed();
  }

  // Poses that failed would fail again; poses that are still looked for need not be waited for.
  #changed() {
    const {takes} = state.draft;
    setText(this.button, takes > 1 ? `Animate ${takes} videos` : 'Animate');
    clearTimeout(this.#timer);
    const body = state.poses && state.system ? bodyOf('plan', state.draft.settings) : null;
    const asked = body ? JSON.stringify(body) : null;
    if (asked !== (this.#plan && this.#plan.asked)) {
      this.#giveUp();
      this.#refused = false;
      if (body) this.#timer = setTimeout(() => this.#ask(body, asked), kSettleMilliseconds);
    }
    this.#showHint();
    this.#enable();
  }

  #enable() {
    const {reference, motion} = state.draft;
    const ready = Boolean(reference && motion && state.system) && !state.posesFailed && !this.#refused;
    this.button.disabled = !ready;
  }

  // What nobody waits for any more need not be worked out, nor keep what it was worked out from.
  #giveUp() {
    if (!this.#plan) return;
    this.#plan.abort.abort();
    const job = state.jobs.get(this.#plan.job);
    if (job) api.removeJob(job.id).catch(() => {});
    this.#plan = null;
    this.#unreached = false;
    this.notes.replaceChildren();
    setText(this.problem, '');
    this.again.hidden = true;
  }

  #tryAgain() {
    this.#giveUp();
    this.#changed();
    this.button.focus();
  }

  #showHint() {
    const {reference, motion, takes} = state.draft;
    const plan = this.#plan && this.#plan.result;
    let hint = '';
    if (!reference || !motion) hint = 'Picture and video are needed first.';
    else if (state.posesFailed) hint = 'The poses could not be taken; see step 2.';
    else if (plan) hint = sentenceOf(plan, takes);
    else if (state.queue && state.queue.paused) hint = 'What it takes is worked out when the queue goes on.';
    else if (!state.poses) hint = 'What it takes is worked out once the poses are there.';
    else if (!this.problem.textContent) hint = 'It is worked out what this takes.';
    setText(this.hint, hint);
  }

  async #ask(body, asked) {
    const abort = new AbortController();
    const plan = {asked, abort, job: null, result: null};
    this.#plan = plan;
    this.#showHint();
    try {
      const made = await withToken(() => api.createJob(body));
      plan.job = made.id;
      state.setErrors([]);
      if (abort.signal.aborted) {
        api.removeJob(made.id).catch(() => {});
        return;
      }
      state.take(made);
      const job = await whenOver(made.id, abort.signal);
      if (job.state === 'completed') this.#show(plan, job.result);
      else this.#refuse(job.problem ? job.problem.detail : 'What it takes was not worked out.',
                        job.problem !== null && kRefusals.includes(job.problem.type));
    } catch (error) {
      if (isAbort(error) || abort.signal.aborted) return;
      if (!(error instanceof api.Problem)) throw error;
      state.setErrors(error.errors);
      this.#unreached = api.isAway(error);
      this.#refuse(error.message, error.status === 422);
    }
  }

  #show(plan, result) {
    plan.result = result;
    this.notes.replaceChildren(...(result.notes || []).map(note => make('li', {}, String(note))));
    this.frame.show(state.draft.reference, result);
    this.#showHint();
  }

  #refuse(text, forGood) {
    this.#refused = forGood;
    setText(this.problem, sentence(text));
    this.again.hidden = forGood;
    this.#showHint();
    this.#enable();
  }

  async #animate() {
    const {takes, label, reference, settings} = state.draft;
    const name = label.trim() || reference.name.replace(/\.[^.]*$/, '');
    const first = firstSeed();
    this.button.disabled = true;
    this.made.hidden = true;
    setText(this.problem, '');
    state.setErrors([]);
    try {
      for (let seed = first; seed < first + takes; ++seed) {
        const ending = takes > 1 ? `, seed ${seed}` : '';
        const body = bodyOf('animate', {...settings, seed});
        const labelled = {...body, label: name.slice(0, kLongestLabel - ending.length) + ending};
        state.take(await withToken(() => api.createJob(labelled)));
      }
      // The queue may lie below what the screen shows.
      setText(this.made, takes > 1 ? `${takes} videos are in the queue` : `${name} is in the queue`);
      this.made.hidden = false;
    } catch (error) {
      if (!(error instanceof api.Problem)) throw error;
      setText(this.problem, sentence(error.message));
      state.setErrors(error.errors);
    } finally {
      this.#enable();
      if (!state.errors.length) this.button.focus();
      else focusFirstError();
    }
  }
}

function sentenceOf(plan, takes) {
  const texts = [];
  if (Number.isFinite(plan.estimated_seconds)) {
    texts.push(`about ${duration(plan.estimated_seconds)}${takes > 1 ? ` for each of ${takes}` : ''}`);
  } else {
    texts.push('how long is not known before a worker of this kind has begun');
  }
  if (Number.isFinite(plan.estimated_bytes)) texts.push(`${bytes(plan.estimated_bytes)} of memory`);
  texts.push(`${plan.width}×${plan.height}`, `${plan.frames} frames`);
  if (plan.frames_per_second > 0) texts.push(`${(plan.frames / plan.frames_per_second).toFixed(1)} s of video`);
  const text = texts.join(', ');
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function focusFirstError() {
  const input = document.querySelector('[aria-invalid=true]');
  if (input) input.focus();
}

customElements.define('ua-plan', UaPlan);
