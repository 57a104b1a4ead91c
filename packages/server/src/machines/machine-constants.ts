/**
 * Properties of the machine entity that the original fills from assessments that Longarm does not make. Clients
 * filter by them, so they have a value, and it is the same for every machine.
 */
export const MACHINE_CONSTANTS = {
  deviceValue: 'Normal',
  exposureLevel: 'None',
  onboardingStatus: 'Onboarded',
  riskScore: 'None',
  managedBy: 'Unknown',
  managedByStatus: 'Unknown',
} as const;
