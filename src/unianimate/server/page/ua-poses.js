// The poses of the motion, found and fitted by themselves once picture and video are there: sheet, preview, and who.
import * as api from './api.js';
import {button, make, newId, sentence, setText} from './dom.js';
import {Fields, showErrors} from './fields.js';
import {removeOldPoses} from './removal.js';
import {isAbort, isOver, part, posesKeyOf, state, whenOver, withToken} from './state.js';

// What stands outside the details, as words that most motions need.
const kPeople = [['', 'the main one'], ['left', 'left'], ['center', 'centre'], ['right', 'right'],
                 ['largest', 'largest']];
// Of the video, beside which they are shown.
const kElsewhere = ['start', 'end'];
const kSettleMilliseconds = 400;

class UaPoses extends HTMLElement {
  #registry = new Map();
  #fields = null;
  #work = null;
  #timer = null;
  #unreached = false;

  connectedCallback() {
    const helpId = newId();
    this.status = make('p', {className: 'state', role: 'status'}, 'Comes by itself once picture and video are there.');
    this.bar = make('progress', {max: 1, hidden: true, 'aria-label': 'Finding the poses'});
    this.problem = make('p', {className: 'error', role: 'alert'});
    this.again = button('Try again', () => this.#begin(true), {hidden: true});
    const group = newId();
    this.people = kPeople.map(([word, title]) => make('input', {
      type: 'radio', name: group, id: newId(), value: word, title, onchange: () => this.#choose(word),
    }));
    this.who = make('fieldset', {className: 'choices', 'aria-describedby': helpId, hidden: true},
                    make('legend', {}, 'Who of the video'),
                    make('div', {className: 'row'}, ...this.people.map(input => make(
                      'span', {className: 'choice'}, input, make('label', {htmlFor: input.id}, input.title)))),
                    make('p', {className: 'hint', id: helpId}, 'Where there are several people'));
    this.details = make('details', {hidden: true}, make('summary', {}, 'How the motion is taken'));
    this.result = make('div', {className: 'poses'});
    this.append(this.status, this.bar, this.problem, this.again, this.who, this.result, this.details);
    state.addEventListener('system', () => this.#build());
    state.addEventListener('draft', event => this.#changed(event));
    state.addEventListener('job', event => {
      if (event.detail.id === state.draft.posesJob) this.#showProgress(event.detail);
    });
    state.addEventListener('removed', event => {
      if (event.detail === state.poses) this.#fail('The poses were removed.');
    });
    state.addEventListener('back', () => {
      if (this.#unreached) this.#begin(true);
    });
    state.addEventListener('errors', () => showErrors(this.#registry, state.errors.filter(
      error => error.pointer.startsWith('/align'))));
    if (state.system) this.#build();
  }

  #build() {
    const schema = state.system.align;
    const properties = Object.fromEntries(
      Object.entries(schema.properties).filter(([name]) => !kElsewhere.includes(name)));
    this.#registry.clear();
    if (this.#fields) this.#fields.element.remove();
    this.#fields = new Fields({properties}, '/align', () => {
      const times = Object.fromEntries(kElsewhere.filter(name => name in state.draft.align)
        .map(name => [name, state.draft.align[name]]));
      state.changeDraft({align: {...times, ...this.#fields.read()}}, this);
    }, this.#registry);
    this.details.append(this.#fields.element);
    this.#show();
    this.#begin();
  }

  #choose(word) {
    const align = {...state.draft.align};
    if (word === '') delete align.person;
    else align.person = word;
    state.changeDraft({align});
  }

  #changed(event) {
    if (event.detail.from !== this) this.#show();
    else this.#showPeople();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(), kSettleMilliseconds);
  }

  #showPeople() {
    const person = state.draft.align.person || '';
    for (const input of this.people) input.checked = input.value === person;
  }

  #show() {
    const ready = Boolean(state.draft.reference && state.draft.motion);
    this.who.hidden = !ready;
    this.details.hidden = !ready;
    this.#showPeople();
    if (this.#fields) this.#fields.write(state.draft.align);
  }

  async #begin(again = false) {
    const key = posesKeyOf(state.draft);
    if (!state.system || key === null) return;
    if (this.#work && this.#work.key === key && !again) return;
    this.#giveUp();
    const abort = new AbortController();
    this.#work = {key, abort};
    this.#unreached = false;
    state.posesFailed = false;
    state.poses = null;
    state.tell('poses');
    this.problem.textContent = '';
    this.again.hidden = true;
    this.result.classList.add('old');
    setText(this.status, 'The poses are waited for.');
    try {
      const job = await this.#jobOf(key, abort.signal);
      if (!abort.signal.aborted) this.#finish(job);
    } catch (error) {
      if (isAbort(error) || abort.signal.aborted) return;
      if (!(error instanceof api.Problem)) throw error;
      state.setErrors(error.errors);
      this.#unreached = api.isAway(error);
      this.#fail(error.message);
    }
  }

  // The one that the draft knows, or a new one.
  async #jobOf(key, signal) {
    if (state.draft.posesKey === key && state.draft.posesJob) {
      try {
        const known = await withToken(() => api.job(state.draft.posesJob));
        if (known.state !== 'failed' && known.state !== 'cancelled') {
          state.take(known);
          removeOldPoses();
          return await whenOver(known.id, signal);
        }
      } catch (error) {
        if (!(error instanceof api.Problem) || error.status !== 404) throw error;
      }
    }
    const {reference, motion, align} = state.draft;
    const job = await withToken(
      () => api.createJob({kind: 'align', reference: reference.id, motion: motion.id, align}));
    if (signal.aborted) {
      api.removeJob(job.id).catch(() => {});
      throw new DOMException('superseded', 'AbortError');
    }
    this.#work.job = job.id;
    state.setErrors([]);
    state.changeDraft({posesJob: job.id, posesKey: key, made: [...(state.draft.made || []), job.id]}, this);
    state.take(job);
    removeOldPoses();
    return whenOver(job.id, signal);
  }

  // What nobody waits for any more need not be worked out.
  #giveUp() {
    if (!this.#work) return;
    this.#work.abort.abort();
    const job = state.jobs.get(this.#work.job);
    if (job && !isOver(job)) api.removeJob(job.id).then(() => state.drop(job.id), () => {});
  }

  #showProgress(job) {
    this.bar.hidden = isOver(job);
    if (isOver(job)) return;
    const done = part(job);
    if (done === null) this.bar.removeAttribute('value');
    else this.bar.value = done;
    setText(this.status, job.state === 'queued' ? 'The poses wait for their turn.'
      : 'People are looked for, and fitted to the picture.');
  }

  #finish(job) {
    this.bar.hidden = true;
    if (job.state !== 'completed') {
      this.#fail(job.problem ? job.problem.detail : 'The poses were given up.');
      return;
    }
    this.result.classList.remove('old');
    this.#showResult(job);
    state.poses = job.id;
    state.tell('poses');
  }

  #fail(text) {
    this.bar.hidden = true;
    state.posesFailed = true;
    state.poses = null;
    setText(this.status, '');
    this.result.replaceChildren();
    this.problem.textContent = sentence(text);
    this.again.hidden = false;
    state.tell('poses');
  }

  #showResult(job) {
    const result = job.result || {};
    const texts = [];
    if (Number.isFinite(result.frames)) texts.push(`${result.frames} poses`);
    if (Number.isFinite(result.frames_found)) {
      texts.push(`somebody was found in ${result.frames_found} of ${result.frames_looked_at} frames`);
    }
    setText(this.status, `${texts.join('; ') || 'The poses are there'}.`);
    const sheet = api.poses(job.id, 'contact_sheet.png');
    const image = make('img', {src: sheet,
                               alt: 'Sheet of frames: the skeleton over the picture and over frames of the motion'});
    const video = make('video', {src: api.poses(job.id, 'preview.mp4'), controls: true, muted: true, playsInline: true,
                                 loop: true, preload: 'metadata', 'aria-label': 'Preview of the poses'});
    video.addEventListener('error', () => video.remove());
    const notes = (result.notes || []).map(note => make('li', {}, String(note)));
    this.result.replaceChildren(make('a', {href: sheet, target: '_blank', rel: 'noopener'}, image), video,
                                make('ul', {className: 'notes'}, ...notes));
  }
}

customElements.define('ua-poses', UaPoses);
