/**
 * What the service answers; see openapi.json.
 *
 * @import {SupportSet} from "./sets.js"
 *
 * @typedef {{mean: number, n: number, low: number, high: number}} Interval
 *
 * @typedef {object} ClassCount
 * @property {string} name
 * @property {number | null} style null for unsure chips
 * @property {number} n_supports
 * @property {Interval} count
 * @property {Interval} fraction
 *
 * @typedef {object} Classified
 * @property {{height: number, width: number, edge: number, top: number, left: number}} grid
 * @property {ClassCount[]} classes those of the sets, then unsure
 * @property {number[]} nearest position of each chip's most probable class
 * @property {number[]} unsure chips
 * @property {number[][]} probabilities
 * @property {{right: {hits: number, total: number}, ece: number | null, plain_ece: number | null,
 *   confusion: number[][], singles: string[]}} check
 * @property {number[]} far_chips chips far from every set
 * @property {number[]} label_next
 * @property {string[]} notes
 * @property {string} sentence
 *
 * @typedef {object} Embedding
 * @property {"none" | "waiting" | "running" | "done" | "failed"} state
 * @property {number | null} job
 * @property {number} done
 * @property {number} total
 * @property {string} detail
 *
 * @typedef {object} Choices
 * @property {string} encoder
 * @property {string} weights
 * @property {string} way
 * @property {boolean} surroundings
 * @property {number} max_risk
 *
 * @typedef {object} SessionState
 * @property {number} id
 * @property {string} name
 * @property {number} revision
 * @property {{dataset: string, stem: string, height: number, width: number, notes: string[]}} image
 * @property {{edge: number, top: number, left: number, rows: number, columns: number, n_chips: number} | null} grid
 * @property {SupportSet[]} sets
 * @property {Choices} choices
 * @property {Embedding} embedding
 * @property {boolean} is_classified
 *
 * @typedef {object} SessionEntry
 * @property {number} id
 * @property {string} name
 * @property {string} image dataset/stem
 * @property {number} n_chips
 * @property {number} n_sets
 * @property {boolean} is_classified
 * @property {number} changed s since the epoch
 *
 * @typedef {object} Advice
 * @property {number} edge
 * @property {number} low
 * @property {number} high
 * @property {number | null} period_px
 * @property {number | null} spectrum_px
 * @property {number} correlation_px
 * @property {number[]} lags_px
 * @property {number[]} autocorrelation
 * @property {string} sentence the suggestion, and why
 */
export {};
