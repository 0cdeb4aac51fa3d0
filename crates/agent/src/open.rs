//! A model's answer whose tool calls have not all been carried out.

use domain::ToolCall;

use crate::tools::FINISH;

/// Its calls, in their order, and the results that stand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Open {
    calls: Vec<ToolCall>,
    results: Vec<Option<(String, bool)>>,
}

impl Open {
    pub fn new(calls: &[ToolCall]) -> Open {
        Open { calls: calls.to_vec(), results: vec![None; calls.len()] }
    }

    /// Notes the result of a call and gives that call. A model may give two the same id: the first that waits is meant.
    pub fn answer(&mut self, id: &str, name: &str, output: &str, is_error: bool) -> Option<&ToolCall> {
        let mut places = self.calls.iter().zip(&mut self.results);
        let (call, result) =
            places.find(|(call, result)| result.is_none() && call.id == id && call.name == name)?;
        *result = Some((output.to_owned(), is_error));
        Some(call)
    }

    /// The call to carry out next, and whether it is the only one left. `finish` waits for the others.
    pub fn next(&self) -> Option<(&ToolCall, bool)> {
        let waiting = || self.calls.iter().zip(&self.results).filter(|(_, result)| result.is_none());
        let (call, _) = waiting().find(|(call, _)| call.name != FINISH).or_else(|| waiting().next())?;
        Some((call, waiting().count() == 1))
    }

    /// What goes to the model once every call has its result: (call id, output, is an error), in the order of the calls.
    pub fn results(&self) -> Option<Vec<(String, String, bool)>> {
        let with_id = |(call, result): (&ToolCall, &Option<(String, bool)>)| {
            result.clone().map(|(output, is_error)| (call.id.clone(), output, is_error))
        };
        self.calls.iter().zip(&self.results).map(with_id).collect()
    }
}
