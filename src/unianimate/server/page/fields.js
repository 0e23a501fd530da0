// Forms made from the schemas of settings that the server gives: what there is, in which range, with which words.
import {button, make, newId, setText} from './dom.js';

const isNullable = schema => Array.isArray(schema.type) && schema.type.includes('null');
const typeOf = schema => (Array.isArray(schema.type) ? schema.type.find(type => type !== 'null') : schema.type);

// "guidance_scale" -> "Guidance scale"
export function titleOf(name) {
  const words = name.replaceAll('_', ' ');
  return words[0].toUpperCase() + words.slice(1);
}

function defaultText(schema) {
  if (schema.default === undefined) return '';
  if (schema.default === null) return 'by itself';
  if (Array.isArray(schema.default)) return schema.default.join(', ');
  return String(schema.default);
}

// What the command line says of an option, in words of the page.
function helpOf(schema) {
  const quoted = option => `“${titleOf(option.replaceAll('-', '_'))}”`;
  return (schema.description || '').replace(/--([a-z][a-z-]*)/g, (_, option) => quoted(option))
    .replace(/[;,] see docs\/[^\s;,]+/, '');
}

// Limits from here on are none that anybody meets.
const kUnmet = 1e6;

function rangeText(schema) {
  if (schema.minimum !== undefined && schema.maximum !== undefined) {
    return schema.maximum >= kUnmet ? '' : `${schema.minimum} to ${schema.maximum}`;
  }
  return schema.minimum === undefined ? '' : `at least ${schema.minimum}`;
}

// Controls have read() -> value, undefined where it is the default, and write(value).

function wordControl(schema, attributes, changed) {
  const words = schema.enum.filter(word => word !== null);
  const input = make('select', {...attributes, onchange: changed});
  if (schema.default === null || schema.default === undefined) input.append(make('option', {value: ''}, 'by itself'));
  input.append(...words.map(word => make('option', {value: word}, word)));
  return {
    input,
    read: () => (input.value === '' || input.value === schema.default ? undefined : input.value),
    write: value => { input.value = value ?? schema.default ?? ''; },
  };
}

function switchControl(schema, attributes, changed) {
  const input = make('input', {type: 'checkbox', ...attributes, onchange: changed});
  return {
    input,
    read: () => (input.checked === schema.default ? undefined : input.checked),
    write: value => { input.checked = value ?? Boolean(schema.default); },
  };
}

function numberControl(schema, attributes, changed) {
  const whole = typeOf(schema) === 'integer';
  const input = make('input', {
    type: 'number', ...attributes, min: schema.minimum, max: schema.maximum, step: whole ? 1 : 'any',
    inputMode: whole ? 'numeric' : 'decimal', placeholder: defaultText(schema), oninput: changed,
  });
  return {
    input,
    read: () => (input.value === '' ? undefined : Number(input.value)),
    write: value => { input.value = value ?? ''; },
  };
}

// A number that may also be none, where none is not the default: "no limit" beside it.
function limitControl(schema, attributes, changed) {
  const number = numberControl(schema, attributes, changed);
  const id = newId();
  const none = make('input', {type: 'checkbox', id, onchange: () => {
    number.input.disabled = none.checked;
    changed();
  }});
  return {
    input: number.input,
    further: make('span', {className: 'choice'}, none, make('label', {htmlFor: id}, 'no limit')),
    read: () => (none.checked ? null : number.read()),
    write: value => {
      none.checked = value === null;
      number.input.disabled = none.checked;
      number.write(value);
    },
  };
}

function textControl(schema, attributes, changed) {
  const list = typeOf(schema) === 'array';
  const input = make('input', {
    type: 'text', ...attributes, placeholder: defaultText(schema), autocomplete: 'off', spellcheck: false,
    oninput: changed,
  });
  const examples = make('datalist', {id: newId()}, ...(schema.examples || []).map(value => make('option', {value})));
  if (schema.examples) input.setAttribute('list', examples.id);
  const values = () => input.value.split(',').map(text => text.trim()).filter(text => text !== '');
  const valueOf = text => (schema.items && typeOf(schema.items) === 'integer' ? Number(text) : text);
  return {
    input,
    further: schema.examples ? examples : null,
    read: () => {
      if (input.value.trim() === '') return undefined;
      return list ? values().map(valueOf) : input.value.trim();
    },
    write: value => { input.value = value === undefined || value === null ? '' : list ? value.join(', ') : value; },
  };
}

function controlOf(schema, attributes, changed) {
  if (schema.enum) return wordControl(schema, attributes, changed);
  const type = typeOf(schema);
  if (type === 'boolean') return switchControl(schema, attributes, changed);
  if (type === 'integer' || type === 'number') {
    const limited = isNullable(schema) && schema.default !== null;
    return (limited ? limitControl : numberControl)(schema, attributes, changed);
  }
  return textControl(schema, attributes, changed);
}

class ScalarField {
  constructor(name, schema, pointer, changed, registry) {
    const id = newId();
    const helpId = newId();
    const errorId = newId();
    this.control = controlOf(schema, {id, name, 'aria-describedby': `${helpId} ${errorId}`}, () => changed());
    this.error = make('p', {className: 'error', id: errorId, role: 'alert'});
    const help = [helpOf(schema), rangeText(schema)].filter(Boolean).join('; ');
    const label = make('label', {htmlFor: id}, titleOf(name));
    const boolean = typeOf(schema) === 'boolean';
    this.element = make('div', {className: boolean ? 'field switch' : 'field'},
                        ...(boolean ? [this.control.input, label] : [label, this.control.input]),
                        this.control.further || '',
                        make('p', {className: 'hint', id: helpId}, help), this.error);
    registry.set(pointer, this);
  }

  read() { return this.control.read(); }
  write(value) { this.control.write(value); }

  showError(text) {
    setText(this.error, text);
    this.control.input.setAttribute('aria-invalid', String(text !== ''));
  }
}

// Words that stand beside each other.
class ChoiceField {
  constructor(name, schema, pointer, changed, registry) {
    const group = newId();
    const helpId = newId();
    const errorId = newId();
    this.schema = schema;
    this.error = make('p', {className: 'error', id: errorId, role: 'alert'});
    // None of the words, where that may be, stands for "by itself".
    const words = schema.default === null ? ['', ...schema.enum.filter(word => word !== null)] : schema.enum;
    this.inputs = words.map(word => make('input', {
      type: 'radio', name: group, value: word, id: newId(), onchange: () => changed(),
    }));
    this.element = make('fieldset', {className: 'field choices', 'aria-describedby': `${helpId} ${errorId}`},
                        make('legend', {}, titleOf(name)),
                        make('div', {className: 'row'}, ...this.inputs.map(input => make(
                          'span', {className: 'choice'}, input,
                          make('label', {htmlFor: input.id}, input.value || 'by itself')))),
                        make('p', {className: 'hint', id: helpId}, helpOf(schema)), this.error);
    registry.set(pointer, this);
  }

  read() {
    const checked = this.inputs.find(input => input.checked);
    return !checked || checked.value === (this.schema.default ?? '') ? undefined : checked.value;
  }
  write(value) {
    for (const input of this.inputs) input.checked = input.value === (value ?? this.schema.default ?? '');
  }
  showError(text) { setText(this.error, text); }
}

class SectionField {
  constructor(name, schema, pointer, changed, registry) {
    const helpId = newId();
    this.fields = new Fields(schema, pointer, changed, registry);
    this.error = make('p', {className: 'error', role: 'alert'});
    this.element = make('fieldset', {className: 'section', 'aria-describedby': helpId},
                        make('legend', {}, titleOf(name)),
                        make('p', {className: 'hint', id: helpId}, helpOf(schema)), this.error);
    this.whole = this.fields.element;
    if (isNullable(schema)) {
      const id = newId();
      this.toggle = make('input', {type: 'checkbox', id, onchange: () => {
        this.whole.hidden = !this.toggle.checked;
        changed();
      }});
      this.whole.hidden = true;
      this.element.append(make('div', {className: 'field switch'}, this.toggle, make('label', {htmlFor: id}, 'Do so')));
    }
    this.element.append(this.whole);
    registry.set(pointer, this);
  }

  read() {
    if (this.toggle && !this.toggle.checked) return undefined;
    const values = this.fields.read();
    return this.toggle || Object.keys(values).length > 0 ? values : undefined;
  }
  write(value) {
    if (this.toggle) {
      this.toggle.checked = value !== undefined && value !== null;
      this.whole.hidden = !this.toggle.checked;
    }
    this.fields.write(value || {});
  }
  showError(text) { setText(this.error, text); }
}

// A list of sections, such as LoRA files.
class ListField {
  constructor(name, schema, pointer, changed, registry) {
    Object.assign(this, {schema, pointer, changed, registry, items: []});
    this.list = make('div', {});
    this.error = make('p', {className: 'error', role: 'alert'});
    this.element = make('fieldset', {className: 'section'}, make('legend', {}, titleOf(name)),
                        make('p', {className: 'hint'}, helpOf(schema)), this.error, this.list,
                        button('Add', () => this.#add().focus(), {'aria-label': `Add to ${titleOf(name)}`}));
    registry.set(pointer, this);
  }

  #add() {
    const fields = new Fields(this.schema.items, `${this.pointer}/${this.items.length}`, this.changed, this.registry);
    const remove = button('Remove', () => {
      row.remove();
      this.items = this.items.filter(item => item !== fields);
      this.changed();
    });
    const row = make('div', {className: 'row'}, fields.element, remove);
    this.items.push(fields);
    this.list.append(row);
    return fields;
  }

  read() {
    const values = this.items.map(item => item.read()).filter(value => Object.keys(value).length > 0);
    return values.length > 0 ? values : undefined;
  }
  write(value) {
    const known = JSON.stringify(this.read() || []);
    if (known === JSON.stringify(value || [])) return;
    this.items = [];
    this.list.replaceChildren();
    for (const each of value || []) this.#add().write(each);
  }
  showError(text) { setText(this.error, text); }
}

// Names by their groups, those of none first.
function grouped(properties) {
  const groupOf = name => properties[name]['x-group'];
  const groups = [undefined, ...new Set(Object.keys(properties).map(groupOf).filter(Boolean))];
  return groups.flatMap(group => Object.keys(properties).filter(name => groupOf(name) === group));
}

// What is chosen before all else stands with its words beside each other.
const kSideBySide = ['preset', 'model', 'fit'];

function fieldOf(name, schema, pointer, changed, registry) {
  const type = typeOf(schema);
  if (type === 'object' && schema.properties) return new SectionField(name, schema, pointer, changed, registry);
  if (type === 'array' && schema.items && schema.items.properties) {
    return new ListField(name, schema, pointer, changed, registry);
  }
  if (kSideBySide.includes(name) && schema.enum) return new ChoiceField(name, schema, pointer, changed, registry);
  return new ScalarField(name, schema, pointer, changed, registry);
}

// The fields of one schema, in its groups. `registry`: by pointer, for errors; `only`: which of the properties, in this
// order and without groups.
export class Fields {
  constructor(schema, pointer, changed, registry, only = null) {
    this.fields = new Map();
    this.element = make('div', {className: 'fields'});
    let shown;
    for (const name of only || grouped(schema.properties)) {
      const group = only ? undefined : schema.properties[name]['x-group'];
      if (group !== shown) this.element.append(make('h3', {className: 'group'}, group));
      shown = group;
      const field = fieldOf(name, schema.properties[name], `${pointer}/${name}`, changed, registry);
      this.fields.set(name, field);
      this.element.append(field.element);
    }
  }

  // What differs from the defaults.
  read() {
    const values = {};
    for (const [name, field] of this.fields) {
      const value = field.read();
      if (value !== undefined) values[name] = value;
    }
    return values;
  }

  write(values) {
    for (const [name, field] of this.fields) field.write(values[name]);
  }

  focus() {
    const input = this.element.querySelector('input, select');
    if (input) input.focus();
  }
}

// Puts each refusal beside the field it names, or the nearest around it; gives those that name none.
export function showErrors(registry, errors) {
  const texts = new Map();
  const others = [];
  for (const error of errors) {
    let pointer = error.pointer || '';
    while (pointer !== '' && !registry.has(pointer)) pointer = pointer.slice(0, pointer.lastIndexOf('/'));
    if (pointer === '') others.push(error);
    else texts.set(pointer, error.detail);
  }
  for (const [pointer, field] of registry) field.showError(texts.get(pointer) || '');
  return others;
}
