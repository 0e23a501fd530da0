// The button that makes the draft into videos, with what the server refuses of it.
import * as api from './api.js';
import {button, make, setText} from './dom.js';
import {state} from './state.js';
import {askForToken} from './session.js';

// Steps from one preview to the next, unless somebody says otherwise.
const kPreviewEvery = 5;
const kLongestLabel = 200;

function bodyOf(seed) {
  const {reference, motion, align, settings} = state.draft;
  return {
    kind: 'animate', reference: reference.id, motion: motion.id, align,
    settings: {preview_every: kPreviewEvery, ...settings, seed},
  };
}

// The first of the draft's seeds.
function firstSeed() {
  const {seed} = state.draft.settings;
  return seed === undefined ? state.system.settings.properties.seed.default : seed;
}

class UaPlan extends HTMLElement {
  connectedCallback() {
    this.hint = make('p', {className: 'hint', role: 'status'});
    this.problem = make('p', {className: 'error', role: 'alert'});
    this.button = button('Animate', () => this.#animate(), {className: 'main', disabled: true});
    this.append(this.hint, this.problem, this.button);
    for (const name of ['poses', 'draft', 'system']) state.addEventListener(name, () => this.#show());
    this.#show();
  }

  // Poses that failed would fail again; poses that are still looked for need not be waited for.
  #show() {
    const {reference, motion, takes} = state.draft;
    const ready = Boolean(reference && motion && state.system) && !state.posesFailed;
    this.button.disabled = !ready;
    setText(this.button, takes > 1 ? `Animate ${takes} videos` : 'Animate');
    let hint = '';
    if (state.posesFailed) hint = 'The poses could not be taken; see step 2.';
    else if (!reference || !motion) hint = 'Picture and video are needed first.';
    setText(this.hint, hint);
  }

  async #animate() {
    const {takes, label, reference} = state.draft;
    const name = label.trim() || reference.name.replace(/\.[^.]*$/, '');
    const first = firstSeed();
    this.button.disabled = true;
    setText(this.problem, '');
    state.setErrors([]);
    try {
      for (let seed = first; seed < first + takes; ++seed) {
        const ending = takes > 1 ? `, seed ${seed}` : '';
        const body = {...bodyOf(seed), label: name.slice(0, kLongestLabel - ending.length) + ending};
        state.take(await api.createJob(body));
      }
    } catch (error) {
      if (!(error instanceof api.Problem)) throw error;
      if (error.status === 401) await askForToken();
      setText(this.problem, error.message);
      state.setErrors(error.errors);
    } finally {
      this.#show();
      if (!state.errors.length) this.button.focus();
      else focusFirstError();
    }
  }
}

function focusFirstError() {
  const input = document.querySelector('[aria-invalid=true]');
  if (input) input.focus();
}

customElements.define('ua-plan', UaPlan);
