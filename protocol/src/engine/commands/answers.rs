//! Answers to a record that is here: its withdrawal by its own organisation, and opinions on anybody's. Each has the topic,
//! scope, audience and end of its target, so that it reaches everyone whom that reached and nobody else.

use crate::{
    engine::{
        Engine, Reading,
        port::{Found, Outcome, Query, Refusal, Ticket},
        publishing::Held,
    },
    observable::Observable,
    organisation::OrgId,
    record::{Body, Opinion, RecordId, Withdrawal, seal_body},
};

/// What waits for its target.
#[derive(Debug)]
pub(in crate::engine) enum Answer {
    /// The end of a record of our own organisation, or of a part of it.
    Withdrawal {
        /// The record.
        record: RecordId,
        /// Empty means all of it.
        observables: Vec<Observable>,
        /// Why.
        reason: String,
    },
    /// What we think of a record.
    Opinion(Opinion),
}

impl Answer {
    fn target(&self) -> RecordId {
        match self {
            Self::Withdrawal { record, .. } => *record,
            Self::Opinion(opinion) => opinion.target,
        }
    }

    /// What is published, when this may be said of a target of that organisation with that content.
    fn body(self, is_ours: bool, target: Option<&Body>) -> Result<Body, Refusal> {
        let values = match target {
            Some(Body::Indicators(bundle)) => bundle.observables.as_slice(),
            Some(Body::Opinion(opinion)) => opinion.observables.as_slice(),
            _ => &[],
        };
        let holds = |asked: &[Observable]| asked.iter().all(|value| values.binary_search(value).is_ok());
        match self {
            Self::Withdrawal { .. } if !is_ours => Err(Refusal::NotOurs),
            Self::Withdrawal {
                record,
                observables,
                reason,
            } if holds(&observables) => Withdrawal::new(record, observables, reason)
                .map(Body::Withdrawal)
                .map_err(|_| Refusal::Reason),
            // An opinion on an opinion would be one on its author, and that is what trust is for.
            Self::Opinion(opinion) if matches!(target, Some(Body::Indicators(_))) && holds(&opinion.observables) => {
                Opinion::new(opinion).map(Body::Opinion).map_err(|_| Refusal::Opinion)
            }
            _ => Err(Refusal::NotInRecord),
        }
    }
}

impl Engine {
    pub(in crate::engine) fn answer_to(&mut self, ticket: Ticket, answer: Answer) {
        if self.own.is_comparing() {
            return self.hold(ticket, Held::Answer(answer));
        }
        if let Err(refusal) = self.check_writing() {
            return self.done(ticket, Outcome::Refused(refusal));
        }
        let query = Query::Record(answer.target());
        let command = ticket;
        self.read(query, Reading::Target { command, answer });
    }

    pub(in crate::engine) fn target_found(&mut self, command: Ticket, answer: Answer, found: Found) {
        if let Err(refusal) = self.publish_answer(command, answer, found) {
            self.done(command, Outcome::Refused(refusal));
        }
    }

    fn publish_answer(&mut self, command: Ticket, answer: Answer, found: Found) -> Result<(), Refusal> {
        let Found::Record(Some((target, org, body))) = found else {
            return Err(Refusal::UnknownRecord);
        };
        let body = answer.body(self.is_ours(org), body.as_ref())?;
        if target.expires_at <= self.check_log(target.audience)? {
            return Err(Refusal::Expired);
        }
        let sealed = seal_body(body);
        if !sealed.fits() {
            return Err(Refusal::TooLarge);
        }
        self.publish_about(command, sealed, &target)
    }

    fn is_ours(&self, org: Option<OrgId>) -> bool {
        org == Some(self.org)
    }
}
