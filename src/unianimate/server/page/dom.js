// Elements made without HTML in strings: what others wrote goes in as text alone.

// make('p', {className: 'note', onclick: f, 'aria-live': 'polite'}, 'text', element, …); null children are left out.
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name in element && !name.startsWith('aria-')) {
      element[name] = value;
    } else {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

let made = 0;
// An id that no other element has.
export const newId = () => `ua-${++made}`;

// Sets what changed alone, so that screen readers say nothing twice.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// What a job says of its problem, as a sentence of its own: "the file is damaged" -> "The file is damaged."
export function sentence(text) {
  const begun = /^[a-z]+ /.test(text) ? text[0].toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

export function button(text, onclick, properties = {}) {
  return make('button', {type: 'button', onclick, ...properties}, text);
}

// Asks before what cannot be undone; true where it is wanted.
export async function isSure(question, yes) {
  const id = newId();
  const dialog = make('dialog', {'aria-labelledby': id}, make('h2', {id}, question), make('div', {className: 'buttons'},
    button('Keep', () => dialog.close(''), {autofocus: true}), button(yes, () => dialog.close('yes'), {className: 'yes'})));
  document.body.append(dialog);
  const closed = new Promise(resolve => { dialog.addEventListener('close', resolve, {once: true}); });
  dialog.showModal();
  await closed;
  dialog.remove();
  return dialog.returnValue === 'yes';
}

// A function that has `show` called once soon, however often it is called until then.
export function soon(show) {
  let planned = false;
  return () => {
    if (planned) return;
    planned = true;
    queueMicrotask(() => {
      planned = false;
      show();
    });
  };
}

const kMinute = 60;
const kHour = 3600;

// "about 6 min 20 s", as exact as such a guess can be.
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < kMinute) return `${whole} s`;
  if (whole < 10 * kMinute) return `${Math.floor(whole / kMinute)} min ${Math.round(whole % kMinute / 10) * 10 % 60} s`;
  if (whole < kHour) return `${Math.round(whole / kMinute)} min`;
  return `${Math.floor(whole / kHour)} h ${Math.floor(whole % kHour / kMinute)} min`;
}

const kUnits = ['bytes', 'kB', 'MB', 'GB', 'TB'];

export function bytes(count) {
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < kUnits.length - 1) {
    value /= 1000;
    ++unit;
  }
  return `${value.toFixed(unit > 0 && value < 10 ? 1 : 0)} ${kUnits[unit]}`;
}
