//! Why a call is not done, in the words and numbers of CNI.

use engine::{EngineError, ErrorKind};
use serde_json::{Value, json};

use super::version::SpecVersion;
use crate::sentence;

/// A number of the specification (1.1.0, section 5, "Error"), or one of ours from 100 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(u64);

impl Code {
    /// The configuration is of a version that is not spoken here, or whose version has no such verb.
    pub(crate) const VERSION: Self = Self(1);
    /// A key of the configuration asks for what is not possible here.
    pub(crate) const FIELD: Self = Self(2);
    /// There is no such container on the network.
    pub(crate) const UNKNOWN: Self = Self(3);
    /// A variable is missing or wrong.
    pub(crate) const ENVIRONMENT: Self = Self(4);
    /// The ledger, a file or a pipe cannot be read or written.
    pub(crate) const INPUT_OUTPUT: Self = Self(5);
    /// What should be JSON is none, or of other types.
    pub(crate) const DECODE: Self = Self(6);
    /// The configuration asks for what cannot be.
    pub(crate) const CONFIGURATION: Self = Self(7);
    /// There is no such network namespace.
    pub(crate) const NAMESPACE: Self = Self(8);
    /// It will pass.
    pub(crate) const TRY_LATER: Self = Self(11);
    /// No container can be put on the network now. Of STATUS only.
    pub(crate) const UNAVAILABLE: Self = Self(50);
    /// The same, and those that are on it may not reach all that they should. Of STATUS only.
    pub(crate) const LIMITED: Self = Self(51);
    /// The kernel or the host as it is set up does not do it.
    pub(crate) const HOST: Self = Self(100);
    /// Somebody else has it: the address, the name, the port in another mode.
    pub(crate) const TAKEN: Self = Self(101);
    /// The container is not on the network as it was put there. Of CHECK only.
    pub(crate) const CHANGED: Self = Self(102);

    /// What another plugin answered with; [`Code::HOST`] for no number at all, and for the one that says as much: the
    /// reference plugins have 999 for whatever they have no number for.
    pub(crate) fn of_other(number: Option<u64>) -> Self {
        number.filter(|number| ![0, 999].contains(number)).map_or(Self::HOST, Self)
    }
}

/// A call that is not done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What kind of failure it is.
    pub(crate) code: Code,
    /// What is wrong, and why.
    pub(crate) sentence: String,
    /// What to do about it.
    pub(crate) remedy: Option<String>,
}

impl Failure {
    /// One whose sentence says all.
    pub(crate) fn new(code: Code, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into(), remedy: None }
    }

    /// The same with what to do about it.
    pub(crate) fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// Several that came together: the first one's code, and what each of them says.
    pub(crate) fn of_all(failures: Vec<Failure>) -> Result<(), Failure> {
        let Some(code) = failures.first().map(|first| first.code) else { return Ok(()) };
        let remedy = failures.iter().find_map(|failure| failure.remedy.clone());
        let sentences: Vec<String> = failures.into_iter().map(|failure| failure.sentence).collect();
        Err(Self { code, sentence: sentences.join("; "), remedy })
    }

    /// The JSON that goes to the runtime.
    pub(crate) fn render(&self, version: SpecVersion) -> Value {
        let mut rendered = json!({ "cniVersion": version.as_str(), "code": self.code.0, "msg": self.sentence });
        if let Some(remedy) = &self.remedy {
            rendered["details"] = json!(remedy);
        }
        rendered
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let code = code_of(&error);
        Self { code, sentence: sentence::chain(&error), remedy: error.hint() }
    }
}

/// What CNI calls a failure of the engine's.
fn code_of(error: &EngineError) -> Code {
    match error.kind() {
        ErrorKind::Wrong => Code::CONFIGURATION,
        ErrorKind::Taken => Code::TAKEN,
        ErrorKind::Passing => Code::TRY_LATER,
        ErrorKind::NoSandbox => Code::NAMESPACE,
        ErrorKind::Unknown => Code::UNKNOWN,
        ErrorKind::InputOutput => Code::INPUT_OUTPUT,
        ErrorKind::Host => Code::HOST,
    }
}

#[cfg(test)]
mod tests {
    use model::ParentFault;

    use super::*;

    #[test]
    fn a_failure_of_the_engines_has_a_number_a_sentence_and_a_remedy() {
        let failure = Failure::from(EngineError::from(ParentFault::Missing("eth7".parse().unwrap())));
        assert_eq!(
            failure.render(SpecVersion::V1_0_0),
            json!({
                "cniVersion": "1.0.0",
                "code": 7,
                "msg": "parent `eth7` is no link of this host",
                "details": "name a link that `ip link` shows, or LINK.VLAN to have a VLAN link made"
            })
        );
        for (error, code) in [
            (EngineError::NoEndpoint("e".parse().unwrap()), Code::UNKNOWN),
            (EngineError::SandboxGone("/run/netns/a".parse().unwrap()), Code::NAMESPACE),
            (
                EngineError::ParentGone { parent: "eth7".parse().unwrap(), network: "n".parse().unwrap() },
                Code::TRY_LATER,
            ),
        ] {
            assert_eq!(Failure::from(error).code, code);
        }
    }

    #[test]
    fn several_failures_are_told_at_once() {
        assert_eq!(Failure::of_all(Vec::new()), Ok(()));
        let second = Failure::new(Code::HOST, "two").with_remedy("do this");
        let all = Failure::of_all(vec![Failure::new(Code::TAKEN, "one"), second]);
        assert_eq!(all, Err(Failure::new(Code::TAKEN, "one; two").with_remedy("do this")));
    }

    #[test]
    fn a_plugin_that_gives_no_number_has_failed_all_the_same() {
        assert_eq!(Code::of_other(Some(11)), Code::TRY_LATER);
        for none in [None, Some(0)] {
            assert_eq!(Code::of_other(none), Code::HOST);
        }
    }
}
