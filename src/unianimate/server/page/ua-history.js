// Finished videos, the newest first.
import * as api from './api.js';
import {button, bytes, duration, make, newId, soon} from './dom.js';
import {removeVideo} from './removal.js';
import {attempt, labelOf, state} from './state.js';
import {againWithNewSeed, useSettings} from './ua-job.js';
import './ua-compare.js';

const kAtOnce = 8;
const kFetched = 50;

class UaHistory extends HTMLElement {
  #rows = new Map();
  #shown = kAtOnce;

  connectedCallback() {
    this.empty = make('p', {className: 'hint'}, 'Finished videos come here.');
    this.list = make('div', {className: 'finished'});
    this.more = button('Show older', () => attempt(() => this.#showOlder()), {hidden: true});
    this.append(this.empty, this.list, this.more);
    const show = soon(() => this.#show());
    for (const name of ['job', 'removed', 'reset']) state.addEventListener(name, show);
  }

  #jobs() {
    return [...state.jobs.values()].filter(job => job.kind === 'animate' && job.state === 'completed')
      .sort((left, right) => right.finished.localeCompare(left.finished));
  }

  #show() {
    const all = this.#jobs();
    const jobs = all.slice(0, this.#shown);
    this.empty.hidden = all.length > 0;
    this.more.hidden = all.length === 0 || (all.length <= this.#shown && !state.older);
    for (const [id, row] of this.#rows) {
      if (jobs.some(job => job.id === id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    jobs.forEach((job, index) => {
      if (!this.#rows.has(job.id)) this.#rows.set(job.id, this.#row(job, index === 0));
      const row = this.#rows.get(job.id);
      if (this.list.children[index] !== row) this.list.insertBefore(row, this.list.children[index] || null);
    });
  }

  async #showOlder() {
    this.#shown += kAtOnce;
    if (this.#jobs().length < this.#shown && state.older) {
      const list = await api.jobs({kind: 'animate', state: 'completed', limit: kFetched, before: state.older});
      for (const job of list.jobs) state.take(job);
      state.older = list.next;
    }
    this.#show();
  }

  #row(job, open) {
    const id = newId();
    const result = job.result || {};
    const texts = [];
    if (result.width) texts.push(`${result.width}×${result.height}`);
    if (result.frames) texts.push(`${result.frames} frames`);
    if (Number.isFinite(result.seconds)) texts.push(`made in ${duration(result.seconds)}`);
    if (Number.isFinite(result.bytes)) texts.push(bytes(result.bytes));
    const label = labelOf(job);
    const compare = document.createElement('ua-compare');
    const summary = make('summary', {}, 'Watch and compare');
    const details = make('details', {open}, summary, compare);
    // Videos are fetched only where somebody looks.
    const fill = () => details.open && compare.childElementCount === 0 && compare.show(job);
    details.addEventListener('toggle', fill);
    const act = (text, action, name) =>
      button(text, () => attempt(action), {className: name, 'aria-label': `${text}: ${label}`});
    const row = make('article', {'aria-labelledby': id}, make('h3', {id}, label),
                     make('p', {className: 'state'}, `✓ ${texts.join(', ') || 'Done'}`),
                     make('div', {className: 'buttons'},
                          make('a', {className: 'button', href: api.video(job.id), download: '',
                                     'aria-label': `Download: ${label}`}, 'Download'),
                          act('Use settings', () => useSettings(job), 'again'),
                          act('New seed', () => againWithNewSeed(job), 'seed'),
                          act('Delete', async () => {
                            if (await removeVideo(job)) document.getElementById('done').focus();
                          }, 'remove')),
                     details, this.#more(job));
    row.dataset.job = job.id;
    fill();
    return row;
  }

  // Notes, and the settings that were not the defaults.
  #more(job) {
    const notes = ((job.result && job.result.notes) || []).map(note => make('li', {}, String(note)));
    const settings = Object.entries((job.request && job.request.settings) || {}).map(
      ([name, value]) => make('li', {}, `${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`));
    if (notes.length + settings.length === 0) return null;
    return make('details', {}, make('summary', {}, 'Notes and settings'),
                make('ul', {className: 'notes'}, ...notes, ...settings));
  }
}

customElements.define('ua-history', UaHistory);
