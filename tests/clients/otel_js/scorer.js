// A custom scorer in JavaScript: `short` says whether the output has at most 20 characters.
//
//   node scorer.js PROTOS_DIRECTORY     prints its address, and serves until its input ends
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const protos = process.argv[2];
const definition = loader.loadSync("assay/judge/v1/user_services.proto", {
  includeDirs: [protos],
  keepCase: true,
});
const { ScorerService } = grpc.loadPackageDefinition(definition).assay.judge.v1;

function score(call, answer) {
  if (call.request.scorer !== "short") {
    answer({ code: grpc.status.INVALID_ARGUMENT, message: "there is only the scorer `short`" });
    return;
  }
  const length = String(JSON.parse(call.request.outputs.json_text)).length;
  answer(null, {
    feedbacks: [
      { feedback: { value: { json_text: JSON.stringify(length <= 20) }, rationale: `It has ${length} characters.` } },
      { assessment_name: "length", feedback: { value: { json_text: JSON.stringify(length) } } },
    ],
  });
}

const server = new grpc.Server();
server.addService(ScorerService.service, { Score: score });
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`127.0.0.1:${port}`);
});
process.stdin.resume();
process.stdin.on("end", () => server.forceShutdown());
