//! How are facts told to Cedar? As entities with the attributes of `schema.cedarschema`.

use std::collections::{BTreeSet, HashSet};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression as Value,
    Schema,
};

use super::error::{Fault, PolicyError};
use super::facts::{
    PerMille, PersonId, Principal, ProposalFacts, Question, Resource, SettingFacts, TicketFacts,
};

/// The names of the schema's types, parsed once.
#[derive(Debug)]
pub(super) struct Names {
    agent: EntityTypeName,
    role: EntityTypeName,
    person: EntityTypeName,
    kind: EntityTypeName,
    level: EntityTypeName,
    deed: EntityTypeName,
    record_kind: EntityTypeName,
    action: EntityTypeName,
    /// Policies speak of what a ticket is like, not of which one it is: these have no names of their own.
    ticket: EntityUid,
    proposal: EntityUid,
    setting: EntityUid,
    records: EntityUid,
    desk: EntityUid,
}

/// What Cedar is asked.
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) entities: Entities,
}

type Problem = Box<dyn std::error::Error>;

impl Names {
    /// Parses the names.
    ///
    /// # Errors
    /// [`PolicyError::Policies`] only where one of the names here is none.
    pub(super) fn new() -> Result<Self, PolicyError> {
        let name = |name: &str| {
            name.parse::<EntityTypeName>().map_err(|error| {
                PolicyError::Policies(vec![Fault::at(&super::texts::SCHEMA.file, "", 0, error.to_string())])
            })
        };
        let the = |kind: &str| Ok(uid(&name(kind)?, "this"));
        Ok(Self {
            agent: name("Agent")?,
            role: name("Role")?,
            person: name("Person")?,
            kind: name("Kind")?,
            level: name("Level")?,
            deed: name("Deed")?,
            record_kind: name("RecordKind")?,
            action: name("Action")?,
            ticket: the("Ticket")?,
            proposal: the("Proposal")?,
            setting: the("Setting")?,
            records: the("Records")?,
            desk: the("Desk")?,
        })
    }

    /// Tells a question to Cedar, which checks it against the schema.
    ///
    /// # Errors
    /// Whatever of it the schema does not know: an action that is not for this principal or resource.
    pub(super) fn asked(&self, question: &Question, schema: &Schema) -> Result<Asked, Problem> {
        let mut entities = Vec::with_capacity(3);
        let principal = match &question.principal {
            Principal::Agent(agent) => uid(&self.agent, agent.as_str()),
            Principal::Person { id, roles } => {
                let person = self.of_person(id);
                let roles: HashSet<EntityUid> =
                    roles.iter().map(|role| uid(&self.role, role.as_str())).collect();
                entities.push(Entity::new_no_attrs(person.clone(), roles));
                person
            }
        };
        let resource = match &question.resource {
            Resource::Ticket(ticket) => self.of_ticket(ticket, &mut entities)?,
            Resource::Proposal(proposal) => self.of_proposal(proposal, &mut entities)?,
            Resource::Setting(setting) => self.of_setting(setting, &mut entities)?,
            Resource::Records(kind) => {
                let kind = Value::new_entity_uid(uid(&self.record_kind, kind.as_str()));
                entity(&self.records, [("kind", kind)], &mut entities)?
            }
            Resource::Desk => self.desk.clone(),
        };
        let action = uid(&self.action, question.action.as_str());
        let context = Context::from_pairs([("stopped".to_owned(), Value::new_bool(question.is_stopped))])?;
        Ok(Asked {
            request: Request::new(principal, action, resource, context, Some(schema))?,
            entities: Entities::from_entities(entities, Some(schema))?,
        })
    }

    fn of_person(&self, id: &PersonId) -> EntityUid {
        uid(&self.person, id.as_str())
    }

    fn of_ticket(&self, ticket: &TicketFacts, entities: &mut Vec<Entity>) -> Result<EntityUid, Problem> {
        let names = ticket.categories.iter().map(|name| Value::new_string(name.clone()));
        let of = |per_mille: PerMille| Value::new_long(per_mille.get().into());
        let priority = ticket.priority.map(|priority| ("priority", Value::new_long(priority.into())));
        let attributes = [
            ("kind", Value::new_entity_uid(uid(&self.kind, ticket.kind.as_str()))),
            ("categories", Value::new_set(names)),
            ("level", Value::new_entity_uid(uid(&self.level, ticket.level.as_str()))),
            ("in_share", Value::new_bool(ticket.in_share)),
            ("has_answer", Value::new_bool(ticket.has_answer)),
            ("strength", of(ticket.strength)),
            ("category_confidence", of(ticket.category_confidence)),
            ("team_confidence", of(ticket.team_confidence)),
            ("is_major", Value::new_bool(ticket.is_major)),
            ("has_expired_sources", Value::new_bool(ticket.has_expired_sources)),
            ("is_degraded", Value::new_bool(ticket.is_degraded)),
            ("affected", Value::new_long(ticket.affected.into())),
            ("warnings", Value::new_long(ticket.warnings.into())),
        ];
        entity(&self.ticket, attributes.into_iter().chain(priority), entities)
    }

    fn of_proposal(
        &self,
        proposal: &ProposalFacts,
        entities: &mut Vec<Entity>,
    ) -> Result<EntityUid, Problem> {
        let ticket = self.of_ticket(&proposal.ticket, entities)?;
        let people = |people: &BTreeSet<PersonId>| {
            Value::new_set(people.iter().map(|person| Value::new_entity_uid(self.of_person(person))))
        };
        let count = |count: usize| Value::new_long(i64::try_from(count).unwrap_or(i64::MAX));
        let attributes = [
            ("ticket", Value::new_entity_uid(ticket)),
            ("deed", Value::new_entity_uid(uid(&self.deed, proposal.deed.as_str()))),
            ("approvals", count(proposal.approved_by.len())),
            ("approvals_by_others", count(proposal.approved_by.difference(&proposal.edited_by).count())),
            ("approved_by", people(&proposal.approved_by)),
            ("edited_by", people(&proposal.edited_by)),
            ("dry_run_passed", Value::new_bool(proposal.dry_run_passed)),
            ("rollback_named", Value::new_bool(proposal.rollback_named)),
        ];
        entity(&self.proposal, attributes, entities)
    }

    fn of_setting(&self, setting: &SettingFacts, entities: &mut Vec<Entity>) -> Result<EntityUid, Problem> {
        let attributes = [
            ("level", Value::new_entity_uid(uid(&self.level, setting.level.as_str()))),
            ("has_replay_report", Value::new_bool(setting.has_replay_report)),
        ];
        entity(&self.setting, attributes, entities)
    }
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

/// Adds an entity to the others.
fn entity(
    uid: &EntityUid,
    attributes: impl IntoIterator<Item = (&'static str, Value)>,
    entities: &mut Vec<Entity>,
) -> Result<EntityUid, Problem> {
    let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value));
    entities.push(Entity::new_with_tags(uid.clone(), attributes, [], [])?);
    Ok(uid.clone())
}
