// Videos are removed with what they alone were made from, and poses with the draft for which they were made.
import * as api from './api.js';
import {isSure} from './dom.js';
import {labelOf, state} from './state.js';

const videos = () => [...state.jobs.values()].filter(job => job.kind === 'animate');
const filesOf = ({request}) => ['reference', 'motion', 'poses'].map(name => request && request[name]).filter(Boolean);

function isInDraft(file) {
  const {reference, motion} = state.draft;
  return [reference, motion].some(asset => asset && asset.id === file);
}

// True where it is gone; the server keeps what a job needs of which the page does not know.
async function removeUnlessNeeded(remove, id) {
  try {
    await remove(id);
  } catch (error) {
    if (!(error instanceof api.Problem) || ![404, 409].includes(error.status)) throw error;
    return error.status === 404;
  }
  return true;
}

async function removePoses(id) {
  if (state.isGone(id)) return true;
  const gone = await removeUnlessNeeded(api.removeJob, id);
  if (gone) state.drop(id);
  return gone;
}

// False where somebody thought better of it.
export async function removeVideo(job) {
  const question = `Delete “${labelOf(job)}” and its files, and the poses, picture and motion that nothing else takes?`;
  if (!await isSure(question, 'Delete')) return false;
  await api.removeJob(job.id);
  state.drop(job.id);
  const poses = job.poses_job;
  if (poses && poses !== state.draft.posesJob && !videos().some(video => video.poses_job === poses)) await removePoses(poses);
  const taken = new Set([...state.jobs.values()].filter(other => other.kind !== 'plan').flatMap(filesOf));
  for (const file of new Set(filesOf(job))) {
    if (!taken.has(file) && !isInDraft(file)) await removeUnlessNeeded(api.removeAsset, file);
  }
  return true;
}

// Poses that the page made for drafts that are no more. Those that a video takes go with it.
export async function removeOldPoses() {
  // Before the jobs are known nothing can be said to be unused.
  if (state.queue === null) return;
  for (const id of state.draft.made || []) {
    if (id === state.draft.posesJob) continue;
    try {
      if (!videos().some(video => video.poses_job === id) && !await removePoses(id)) continue;
    } catch (error) {
      // The next draft tries again.
      if (error instanceof api.Problem) continue;
      throw error;
    }
    state.changeDraft({made: state.draft.made.filter(each => each !== id)});
  }
}
