// The peer's bare loop: every case through one classifier, so many at a time; nothing is stored.
import { readFileSync } from "node:fs";
import { ClosedQA } from "autoevals";
import OpenAI from "openai";

const [casesFile, baseURL, width] = process.argv.slice(2);
const cases = JSON.parse(readFileSync(casesFile, "utf8"));
const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });

const begun = performance.now();
let next = 0;
let passed = 0;
async function worker() {
  while (next < cases.length) {
    const { request, response, criteria } = cases[next++];
    const result = await ClosedQA({ input: request, output: response, criteria, client, model: "stub" });
    if (result.score !== 1) throw new Error(`no verdict: ${JSON.stringify(result)}`);
    passed += 1;
  }
}
await Promise.all(Array.from({ length: Number(width) }, worker));
console.log(JSON.stringify({ evaluations: passed, seconds: (performance.now() - begun) / 1000 }));
