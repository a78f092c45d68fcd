// One client of one SDK: `node talk.mjs openai-chat|openai-responses|anthropic whole|streamed|at-once LABEL`.
//
// Prints a JSON list of what was said: by a loop of tool calls, or by twenty questions at once, every second one streamed.
// The SDK reads its base URL from its own variable. Node before 24 has a fetch that knows no proxies, so where one is set
// the SDK gets undici's, with the agent that reads HTTPS_PROXY.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { EnvHttpProxyAgent, fetch } from "undici";

const [kind, how, label] = process.argv.slice(2);
const results = JSON.parse(process.env.RESULTS);
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const described = { name: "get_weather", description: "Ask for the weather." };
const through = process.env.HTTPS_PROXY ? { fetch, fetchOptions: { dispatcher: new EnvHttpProxyAgent() } } : {};
const options = { apiKey: process.env.KEY, maxRetries: 0, ...through };

const openai = kind === "anthropic" ? null : new OpenAI(options);
const anthropic = kind === "anthropic" ? new Anthropic(options) : null;
const gpt = "gpt-4o-mini";

// Each takes a history and gives the text, the calls, and what the history grows by.
const kinds = {
  "openai-chat": async (messages, stream, tools) => {
    const asked = { model: gpt, messages, ...(tools && { tools: [{ type: "function", function: { ...described, parameters: schema } }] }) };
    const message = stream
      ? await openai.chat.completions.stream({ ...asked, stream_options: { include_usage: true } }).finalMessage()
      : (await openai.chat.completions.create(asked)).choices[0].message;
    const calls = message.tool_calls ?? [];
    return {
      text: message.content,
      calls: calls.map((call) => JSON.parse(call.function.arguments)),
      turn: [message],
      result: (text) => ({ role: "tool", tool_call_id: calls[0].id, content: text }),
    };
  },
  "openai-responses": async (input, stream, tools) => {
    const asked = { model: gpt, input, ...(tools && { tools: [{ type: "function", ...described, parameters: schema, strict: true }] }) };
    const answer = stream
      ? await openai.responses.stream(asked).finalResponse()
      : await openai.responses.create(asked);
    const calls = answer.output.filter((item) => item.type === "function_call");
    return {
      text: answer.output_text,
      calls: calls.map((call) => JSON.parse(call.arguments)),
      // What the SDK has put beside the wire's fields is not the API's.
      turn: answer.output.map(({ parsed_arguments, ...item }) => item),
      result: (text) => ({ type: "function_call_output", call_id: calls[0].call_id, output: text }),
    };
  },
  anthropic: async (messages, stream, tools) => {
    const asked = { model: "claude-haiku-4-5", max_tokens: 100, messages, ...(tools && { tools: [{ ...described, input_schema: schema }] }) };
    const message = stream ? await anthropic.messages.stream(asked).finalMessage() : await anthropic.messages.create(asked);
    const calls = message.content.filter((block) => block.type === "tool_use");
    const text = message.content.filter((block) => block.type === "text").map((block) => block.text);
    return {
      text: text.join(""),
      calls: calls.map((call) => call.input),
      turn: [{ role: "assistant", content: message.content }],
      result: (text) => ({ role: "user", content: [{ type: "tool_result", tool_use_id: calls[0].id, content: text }] }),
    };
  },
};

async function loop(stream) {
  const history = [{ role: "user", content: label }];
  for (const result of [...results, null]) {
    const said = await kinds[kind](history, stream, true);
    if (said.calls.length === 0) return said.text;
    if (said.calls[0].city !== "Bergen") throw new Error(`asked for ${JSON.stringify(said.calls)}`);
    history.push(...said.turn, said.result(result));
  }
  throw new Error("it did not come to an end");
}

async function atOnce() {
  const asked = Array.from({ length: 20 }, (_, number) => [{ role: "user", content: `${label} ${number}` }]);
  const said = await Promise.all(asked.map((history, number) => kinds[kind](history, number % 2 === 1, false)));
  return said.map((each) => each.text);
}

console.log(JSON.stringify(how === "at-once" ? await atOnce() : [await loop(how === "streamed")]));
