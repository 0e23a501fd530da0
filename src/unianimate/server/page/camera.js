// A picture taken with the camera, where there is one and its owner allows it.
import {button, make, newId, setText} from './dom.js';

const kQuality = 0.95;

export const hasCamera = () => Boolean(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);

function pictureOf(video) {
  const canvas = make('canvas', {width: video.videoWidth, height: video.videoHeight});
  canvas.getContext('2d').drawImage(video, 0, 0);
  return new Promise(resolve => { canvas.toBlob(resolve, 'image/jpeg', kQuality); });
}

// A JPEG; null where nobody wanted one after all.
export async function takePicture() {
  const id = newId();
  const video = make('video', {autoplay: true, muted: true, playsInline: true, 'aria-label': 'What the camera sees'});
  const problem = make('p', {className: 'error', role: 'alert'});
  const take = button('Take it', () => dialog.close('take'), {className: 'main', disabled: true});
  const dialog = make('dialog', {'aria-labelledby': id}, make('h2', {id}, 'Take a picture'), video, problem,
                      make('div', {className: 'buttons'}, take, button('Close', () => dialog.close(''))));
  document.body.append(dialog);
  const closed = new Promise(resolve => { dialog.addEventListener('close', resolve, {once: true}); });
  dialog.showModal();
  let stream = null;
  try {
    stream = await navigator.mediaDevices.getUserMedia({video: {width: {ideal: 1920}, height: {ideal: 1080}}});
    video.srcObject = stream;
    video.addEventListener('loadeddata', () => { take.disabled = false; }, {once: true});
  } catch (error) {
    setText(problem, `The camera cannot be used: ${error.message}.`);
  }
  await closed;
  const picture = dialog.returnValue === 'take' ? await pictureOf(video) : null;
  if (stream) stream.getTracks().forEach(track => track.stop());
  dialog.remove();
  return picture;
}
