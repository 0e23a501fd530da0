// The settings of the draft, as the server describes them: presets and what is asked for most, the rest folded away.
import {button, make, newId} from './dom.js';
import {Fields, showErrors} from './fields.js';
import {kPreviewEvery, state} from './state.js';

// What stands outside the details.
const kFirst = ['preset', 'model', 'fit', 'loras', 'size', 'frames', 'seed'];
// Of the settings that the server puts into no group.
const kNoGroup = 'The video';
const kMostTakes = 20;

// "512x768" -> that, on its side, and as a square of about as many pixels.
function sizesNear(size) {
  const [width, height] = size.split('x').map(Number);
  const unit = width % 64 === 0 && height % 64 === 0 ? 64 : 32;
  const side = Math.max(unit, Math.round(Math.sqrt(width * height) / unit) * unit);
  return [...new Set(['auto', size, `${height}x${width}`, `${side}x${side}`])];
}

class UaSettings extends HTMLElement {
  #registry = new Map();
  #groups = [];
  #model;

  connectedCallback() {
    state.addEventListener('system', () => this.#build());
    state.addEventListener('draft', event => {
      if (event.detail.from !== this) this.#show();
    });
    state.addEventListener('errors', () => this.#showErrors());
    if (state.system) this.#build();
  }

  // Settings as they are where nobody says anything, for the models that are chosen.
  #schema() {
    const schema = structuredClone(state.system.settings);
    const {models} = state.system;
    const model = this.#chosen();
    this.#model = model;
    schema.properties.preview_every.default = kPreviewEvery;
    if (models.length < 2) delete schema.properties.model;
    for (const [name, value] of Object.entries(model ? model.defaults : {})) {
      if (name in schema.properties) schema.properties[name].default = value;
    }
    if (model && model.defaults.size) schema.properties.size.examples = sizesNear(model.defaults.size);
    return schema;
  }

  #build() {
    const schema = this.#schema();
    const names = Object.keys(schema.properties);
    const first = kFirst.filter(name => names.includes(name));
    const rest = names.filter(name => !first.includes(name));
    const changed = () => {
      const settings = Object.assign({}, ...this.#groups.map(group => group.read()));
      state.changeDraft({settings}, this);
      if (this.#chosen() === this.#model) return this.#count();
      this.#build();
      // Who works by keyboard goes on at the same place.
      const again = [...this.querySelectorAll('input:checked')].find(input => input.value === this.#model.name);
      if (again) again.focus();
      return undefined;
    };
    this.#registry.clear();
    const further = {properties: Object.fromEntries(
      rest.map(name => [name, {'x-group': kNoGroup, ...schema.properties[name]}]))};
    this.#groups = [new Fields(schema, '/settings', changed, this.#registry, first),
                    new Fields(further, '/settings', changed, this.#registry)];
    this.summary = make('summary', {});
    this.details = make('details', {}, this.summary,
                        button('Back to the defaults', () => state.changeDraft({settings: {}})),
                        this.#groups[1].element);
    this.#groups[0].element.append(...this.#ofThePage());
    this.replaceChildren(this.#groups[0].element, this.details);
    this.#show();
  }

  // The models of the draft; where the server has not those, or nobody says which, the usual ones.
  #chosen() {
    const {models} = state.system;
    return models.find(each => each.name === state.draft.settings.model) || models[0];
  }

  // The name, the kind of file, and how many videos at once.
  #ofThePage() {
    const labelId = newId();
    const takesId = newId();
    this.label = make('input', {
      type: 'text', id: labelId, maxLength: 200, autocomplete: 'off', placeholder: 'as the picture',
      'aria-describedby': `${labelId}-help`,
      oninput: () => state.changeDraft({label: this.label.value}, this),
    });
    this.takes = make('input', {
      type: 'number', id: takesId, min: 1, max: kMostTakes, step: 1, inputMode: 'numeric',
      'aria-describedby': `${takesId}-help`,
      oninput: () => {
        const takes = Math.floor(Number(this.takes.value)) || 1;
        state.changeDraft({takes: Math.min(kMostTakes, Math.max(1, takes))}, this);
      },
    });
    const format = {properties: {format: state.system.format}};
    this.format = new Fields(format, '', () => {
      state.changeDraft({format: this.format.read().format || ''}, this);
    }, this.#registry);
    return [make('div', {className: 'field'}, make('label', {htmlFor: takesId}, 'Videos at once'), this.takes,
                 make('p', {className: 'hint', id: `${takesId}-help`}, 'Each with the next seed')),
            make('div', {className: 'field'}, make('label', {htmlFor: labelId}, 'Name'), this.label,
                 make('p', {className: 'hint', id: `${labelId}-help`}, 'Of the video in the queue and of its file')),
            ...this.format.element.children];
  }

  #show() {
    if (this.#groups.length === 0) return;
    if (this.#chosen() !== this.#model) {
      this.#build();
      return;
    }
    this.format.write({format: state.draft.format || undefined});
    for (const group of this.#groups) group.write(state.draft.settings);
    this.label.value = state.draft.label;
    this.takes.value = state.draft.takes;
    this.#count();
  }

  #count() {
    const changed = Object.keys(this.#groups[1].read()).length;
    this.summary.textContent = changed > 0 ? `More settings (${changed} changed)` : 'More settings';
  }

  #showErrors() {
    const own = state.errors.filter(error => /^\/(settings|format)/.test(error.pointer));
    showErrors(this.#registry, own);
    if (this.querySelector('details [aria-invalid=true]')) this.details.open = true;
  }
}

customElements.define('ua-settings', UaSettings);
